import type { Panel, Query } from './panel.ts'

const PROCESS = 'namespace=~"$namespace",job=~"$job",instance=~"$instance"'

/** Returns a selector for a metric of the selected processes. */
export function ofProcess(metric: string, more = ''): string {
  return `${metric}{${PROCESS}${more === '' ? '' : `,${more}`}}`
}

/** Returns a selector for a metric of the selected topics and processes. */
export function ofTopic(metric: string, more = ''): string {
  return ofProcess(metric, `topic=~"$topic"${more === '' ? '' : `,${more}`}`)
}

/** Returns a selector for a metric of the messaging conventions, which label the topic differently. */
export function ofMessaging(metric: string): string {
  return ofProcess(metric, 'messaging_destination_name=~"$topic"')
}

/** Returns the per-second rate of a selected counter. */
export function perSecond(selected: string): string {
  return `rate(${selected}[$__rate_interval])`
}

/** Returns the only query of a panel. */
export function one(expr: string, legend: string): readonly Query[] {
  return [{ expr, legend }]
}

/** Returns a panel with lines over time, a third of the width by default. */
export function series(panel: Omit<Panel, 'kind' | 'width'> & { readonly width?: number }): Panel {
  return { kind: 'timeseries', width: 8, ...panel }
}

/** Returns a panel with current numbers. */
export function stat(panel: Omit<Panel, 'kind' | 'width'> & { readonly width?: number }): Panel {
  return { kind: 'stat', width: 4, ...panel }
}
