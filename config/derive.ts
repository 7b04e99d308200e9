/** Parts that can be derived from a timestamp. */
export const DATE_PARTS = ['year', 'month', 'day', 'hour', 'date'] as const

/** A part of a timestamp. */
export type DatePart = (typeof DATE_PARTS)[number]

/** A column that is a part, in UTC, of the timestamp column `from`. */
export interface Derivation {
  readonly column: string
  readonly part: DatePart
  readonly from: string
}

/** Reads an expression such as `date(timestamp)`; `undefined` when it is none. */
export function parseDerivation(column: string, expression: string): Derivation | undefined {
  const match = /^\s*([a-z]+)\s*\(\s*([^()\s][^()]*?)\s*\)\s*$/.exec(expression)
  const part = DATE_PARTS.find((known) => known === match?.[1])
  const from = match?.[2]
  return part === undefined || from === undefined ? undefined : { column, part, from }
}
