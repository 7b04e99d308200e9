import { AssertionError } from 'node:assert/strict'
import { parse } from 'lossless-json'

const SHOWN_MAX = 3

/** Asserts that two engines found the same rows, JSON texts in any order; else shows some of those that only one found. */
export function assertSameRows(actual: readonly string[], expected: readonly string[], what: string): void {
  const [ours, theirs] = [countsOf(actual), countsOf(expected)]
  const extra = missingIn(theirs, ours)
  const missing = missingIn(ours, theirs)
  if (extra.length === 0 && missing.length === 0) return
  const shown = (rows: readonly string[]): string =>
    rows
      .slice(0, SHOWN_MAX)
      .map((row) => `\n    ${row}`)
      .join('')
  throw new AssertionError({
    message: [
      `${what}: ${actual.length} rows found, ${expected.length} expected`,
      `  ${extra.length} not expected:${shown(extra)}`,
      `  ${missing.length} not found:${shown(missing)}`,
    ].join('\n'),
  })
}

/** Rows made here as JSON texts. */
export function jsonRows(rows: readonly object[]): string[] {
  return rows.map((row) => JSON.stringify(row))
}

/** How often each row is there; numbers without needless zeros and exponents, whatever engine printed them. */
function countsOf(rows: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const text = JSON.stringify(parse(row, null, { parseNumber: numberText }))
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

function missingIn(found: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>): string[] {
  return [...wanted].flatMap(([row, count]) => {
    const lacking = count - (found.get(row) ?? 0)
    return lacking > 0 ? [lacking > 1 ? `${row} (${lacking} times)` : row] : []
  })
}

/** `1.50`, `1.5` and `15E-1` are all `#15e-1`. */
function numberText(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text)
  if (match === null) throw new Error(`no number: ${text}`)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '#0'
  return `#${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`
}
