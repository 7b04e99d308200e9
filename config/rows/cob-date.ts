import { RE2JS } from 're2js'
import { messageOf } from '../../src/core/errors.ts'
import type { Report } from '../report.ts'
import { timeZoneFault } from './time-zone.ts'

/** The close-of-business date of rows; there is none where `from` is absent. */
export interface CobDateConfig {
  readonly column: string
  /** The syntax is checked, `parseCobSource` takes it apart. */
  readonly from?: string
  /** A pattern of RE2; its first group counts, or all that it finds. */
  readonly pattern?: string
  readonly format: CobFormat
  readonly timeZone: string
  readonly allowFuture: boolean
  readonly daysBackMax?: number
}

/** How the date is written. */
export const COB_FORMATS = ['YYYY-MM-DD', 'YYYYMMDD'] as const

/** One way to write the date. */
export type CobFormat = (typeof COB_FORMATS)[number]

/** Where the date stands: in the key, in a header of this name, or in a column of the value, a dotted path. */
export type CobSource =
  | { readonly kind: 'key' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'value'; readonly path: string }

/** Reads `key`, `header:NAME` or `value:PATH`; `undefined` when it is none of them. */
export function parseCobSource(text: string): CobSource | undefined {
  if (text === 'key') return { kind: 'key' }
  const [, kind, name = ''] = /^(header|value):\s*(\S[^]*?)\s*$/.exec(text) ?? []
  if (kind === 'header') return { kind, name }
  return kind === 'value' ? { kind, path: name } : undefined
}

/** Options of the close-of-business date that are wrong, alone or together. */
export function checkCobDate(cobDate: CobDateConfig, report: Report): void {
  const { from, pattern, timeZone } = cobDate
  if (from === undefined) {
    if (pattern !== undefined || cobDate.daysBackMax !== undefined || cobDate.allowFuture)
      report(['cobDate.from'], 'missing, while other options of cobDate are given')
    return
  }
  if (parseCobSource(from) === undefined)
    report(['cobDate.from'], `must be key, header:NAME or value:PATH: value was ${JSON.stringify(from)}`)
  const zoneFault = timeZoneFault(timeZone)
  if (zoneFault !== undefined) report(['cobDate.timeZone'], zoneFault)
  if (pattern === undefined) return
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    report(['cobDate.pattern'], `must be a pattern of RE2: ${messageOf(error)}`)
  }
}
