import type { LogMeasured, LogStep } from './measured.ts'
import { median } from '../programs.ts'

/** Holds everything that one run measured. */
export interface LogResults {
  readonly files: number
  readonly few: number
  readonly opens: number
  readonly open: { readonly few: readonly LogMeasured[]; readonly many: readonly LogMeasured[] }
  /** Median ratio of the CPU for opening the large table to that for opening the small one immediately before. */
  readonly ratio: number
  readonly steps: readonly (readonly [LogStep, LogMeasured])[]
  readonly loadAverage: number
}

/** Memory limit of every step, in MiB. */
export const MEMORY_MIB_MAX = 600

const HEADING = '## The log of a large table'

/** Returns the highest peak memory of all steps, in MiB. */
export function peakMib({ open, steps }: LogResults): number {
  const all = [...open.few, ...open.many, ...steps.map(([, measured]) => measured)]
  return Math.round(Math.max(...all.map(({ rssBytesMax }) => rssBytesMax)) / 2 ** 20)
}

/** Returns the section of the page. */
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

Two local tables are compared: the checkpoint of one holds ${count(files)} files, each with a partition value and about
400 characters of statistics; the other has ${count(few)} files. Opening a table and the first commit do not read the list of
files: with ${count(files)} files they take **${ratio.toFixed(2)} ×** the CPU that they take with ${count(few)} (median of ${opens} alternating pairs).
Each step runs in its own process; the seconds exclude its start, and the memory is its peak. Load average at the start: ${loadAverage.toFixed(1)}.

| | seconds | CPU seconds | peak memory, MiB |
| --- | ---: | ---: | ---: |
${row(`${count(few)} files: open and first commit`, open.few)}
${row(`${count(files)} files: open and first commit`, open.many)}
${steps.map(([step, measured]) => row(`${count(files)} files: ${step}`, [measured])).join('\n')}
`
}

/** Returns the section about logs of a page, or an empty text. */
export function logSectionOf(page: string): string {
  const start = page.indexOf(HEADING)
  return start < 0 ? '' : page.slice(start)
}

/** Returns the page with this section at its end, replacing the previous one. */
export function withLogSection(page: string, section: string): string {
  const start = page.indexOf(HEADING)
  const rest = start < 0 ? page : page.slice(0, start)
  return section === '' ? rest : `${rest.trimEnd()}\n\n${section}`
}
