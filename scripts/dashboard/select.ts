import type { Panel, Query } from './panel.ts'

const PROCESS = 'namespace=~"$namespace",job=~"$job",instance=~"$instance"'

/** A metric of the chosen processes. */
export function ofProcess(metric: string, more = ''): string {
  return `${metric}{${PROCESS}${more === '' ? '' : `,${more}`}}`
}

/** A metric of the chosen topics of the chosen processes. */
export function ofTopic(metric: string, more = ''): string {
  return ofProcess(metric, `topic=~"$topic"${more === '' ? '' : `,${more}`}`)
}

/** A metric of the messaging conventions, which call the topic otherwise. */
export function ofMessaging(metric: string): string {
  return ofProcess(metric, 'messaging_destination_name=~"$topic"')
}

/** How fast a selected counter grows, each second. */
export function perSecond(selected: string): string {
  return `rate(${selected}[$__rate_interval])`
}

/** A panel's only query. */
export function one(expr: string, legend: string): readonly Query[] {
  return [{ expr, legend }]
}

/** A panel of lines over time, a third of the width unless told otherwise. */
export function series(panel: Omit<Panel, 'kind' | 'width'> & { readonly width?: number }): Panel {
  return { kind: 'timeseries', width: 8, ...panel }
}

/** A panel of numbers as they are now. */
export function stat(panel: Omit<Panel, 'kind' | 'width'> & { readonly width?: number }): Panel {
  return { kind: 'stat', width: 4, ...panel }
}
