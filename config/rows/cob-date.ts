import { RE2JS } from 're2js'
import { messageOf } from '../../src/core/errors.ts'
import type { OptionValues } from '../option-values.ts'
import type { ReportFault } from '../report.ts'
import { findSourcePathFault, parsePath } from '../transforms/path.ts'
import type { ROW_OPTIONS } from './options.ts'
import { findTimeZoneFault } from './time-zone.ts'

/** Configures the close-of-business date of rows; there is no such date without `from`. */
export type CobDateConfig = OptionValues<typeof ROW_OPTIONS>['cobDate']

/** Names a format of the date. */
export type CobFormat = CobDateConfig['format']

/** Describes where the date is read from: the record key, the header `name`, or the column at `path`. */
export type CobSource =
  | { readonly kind: 'key' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'value'; readonly path: string }

/** Parses `key`, `header:NAME` or `value:PATH`. Returns `undefined` for any other text. */
export function parseCobSource(text: string): CobSource | undefined {
  if (text === 'key') return { kind: 'key' }
  const [, kind, name = ''] = /^(header|value):\s*(\S[^]*?)\s*$/.exec(text) ?? []
  if (kind === 'header') return { kind, name }
  return kind === 'value' ? { kind, path: name } : undefined
}

/** Returns true when the date is read from the column that it would be written to, so that no column is added. */
export function isCobDateInPlace({ column, from }: CobDateConfig): boolean {
  const source = from === undefined ? undefined : parseCobSource(from)
  if (source?.kind !== 'value') return false
  const parsed = parsePath(source.path)
  return (
    source.path === column || ('names' in parsed && parsed.names.length === 1 && parsed.names[0] === column)
  )
}

/** Reports invalid and contradicting options of the close-of-business date. */
export function checkCobDate(cobDate: CobDateConfig, report: ReportFault): void {
  const { from, pattern, timeZone } = cobDate
  if (from === undefined) {
    if (pattern !== undefined || cobDate.daysBackMax !== undefined || cobDate.allowFuture)
      report(['cobDate.from'], 'is required because other options of cobDate are set')
    return
  }
  const source = parseCobSource(from)
  const pathFault = source?.kind === 'value' ? findSourcePathFault(source.path) : undefined
  if (pathFault !== undefined) report(['cobDate.from'], pathFault)
  if (source === undefined)
    report(['cobDate.from'], `must be key, header:NAME or value:PATH: value was ${JSON.stringify(from)}`)
  const zoneFault = findTimeZoneFault(timeZone)
  if (zoneFault !== undefined) report(['cobDate.timeZone'], zoneFault)
  if (pattern === undefined) return
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    report(['cobDate.pattern'], `must be an RE2 pattern: ${messageOf(error)}`)
  }
}
