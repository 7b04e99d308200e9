import type { LogMeasured, LogStep } from './measured.ts'
import { median } from '../programs.ts'

/** Everything that was measured of logs in one run. */
export interface LogResults {
  readonly files: number
  readonly few: number
  readonly opens: number
  readonly open: { readonly few: readonly LogMeasured[]; readonly many: readonly LogMeasured[] }
  /** CPU of opening the large table by that of opening the small one right before: the median. */
  readonly ratio: number
  readonly steps: readonly (readonly [LogStep, LogMeasured])[]
  readonly loadAverage: number
}

/** The memory that no step may exceed. */
export const MEMORY_MIB_MAX = 600

const HEADING = '## The log of a large table'

/** The most memory that any step took. */
export function peakMib({ open, steps }: LogResults): number {
  const all = [...open.few, ...open.many, ...steps.map(([, measured]) => measured)]
  return Math.round(Math.max(...all.map(({ rssBytesMax }) => rssBytesMax)) / 2 ** 20)
}

/** The section of the page. */
export function logSection(results: LogResults): string {
  const { files, few, opens, open, ratio, steps, loadAverage } = results
  const count = (number: number): string => number.toLocaleString('en-US')
  const row = (name: string, runs: readonly LogMeasured[]): string => {
    const rss = Math.max(...runs.map(({ rssBytesMax }) => rssBytesMax)) / 2 ** 20
    const seconds = [runs.map(({ wallS }) => wallS), runs.map(({ cpuS }) => cpuS)].map((all) =>
      median(all).toFixed(2),
    )
    return `| ${name} | ${seconds.join(' | ')} | ${rss.toFixed(0)} |`
  }
  return `${HEADING}

<!-- Written by \`npm run bench:log\`. -->

A local table whose checkpoint holds ${count(files)} files, each with a partition value and some 400 characters of statistics, and
one of ${count(few)}. Opening and the first commit read what is no file alone: they take **${ratio.toFixed(2)} ×** the CPU for
${count(files)} files that they take for ${count(few)} (median of ${opens} pairs, run in turns). Every step is a process of its own; seconds are
without its start, memory is its peak with everything. Load average at the start: ${loadAverage.toFixed(1)}.

| | seconds | CPU seconds | peak memory, MiB |
| --- | ---: | ---: | ---: |
${row(`${count(few)} files: open and first commit`, open.few)}
${row(`${count(files)} files: open and first commit`, open.many)}
${steps.map(([step, measured]) => row(`${count(files)} files: ${step}`, [measured])).join('\n')}
`
}

/** The section of logs of a page; empty where it has none. */
export function logSectionOf(page: string): string {
  const start = page.indexOf(HEADING)
  return start < 0 ? '' : page.slice(start)
}

/** The page with this section at its end, instead of the one that it had. */
export function withLogSection(page: string, section: string): string {
  const start = page.indexOf(HEADING)
  const rest = start < 0 ? page : page.slice(0, start)
  return section === '' ? rest : `${rest.trimEnd()}\n\n${section}`
}
