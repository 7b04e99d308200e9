// What the fuzz of events in JSON and in Avro have in common: batches by seed, and the comparison of both ways.
import { isDeepStrictEqual } from 'node:util'
import type { Rows } from '../../../src/arrow/rows.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { Format } from '../../../src/formats/format.ts'
import { decodedRows } from '../../support/flow/outcomes.ts'
import { chanceBy, type Chance } from '../../support/values/chance.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

const BATCH = 50

/** Returns the target that compares batches of generated events; `compare` returns the difference of one batch, if any. */
export function fuzzEvents(compare: (chance: Chance, count: number) => string | undefined): FuzzTarget {
  return ({ inputs, seed }) => {
    const differences: string[] = []
    let done = 0
    for (let round = 0; done < inputs; round++) {
      const count = Math.min(BATCH, inputs - done)
      const difference = compare(chanceBy(seed + round), count)
      if (difference !== undefined) differences.push(`seed ${seed + round}: ${difference}`)
      done += count
    }
    return Promise.resolve({ inputs: done, differences })
  }
}

/** Decodes a batch in both ways and returns the first difference; values are shown in `encoding`. */
export function compareEvents(
  open: (fast: boolean) => Format,
  contract: Contract,
  raw: Raw,
  encoding: 'utf8' | 'hex',
): string | undefined {
  const [rows, expected] = [true, false].map((fast) => decodedRows(open(fast), contract, raw))
  if (rows === undefined || expected === undefined) throw new Error('Broken invariant: two results')
  const [a, b] = [outcomesIn(rows), outcomesIn(expected)]
  const at = a.findIndex((outcome, i) => !isDeepStrictEqual(outcome, b[i]))
  if (at >= 0) {
    const value = Buffer.from(raw.bytes.subarray(raw.valueStart[at], raw.valueEnd[at])).toString(encoding)
    return `${value}\n  became ${shown(a[at])}\n  instead of ${shown(b[at])}`
  }
  return rows.filtered === expected.filtered
    ? undefined
    : `${rows.filtered} filtered instead of ${expected.filtered}`
}

/** Returns what became of each record: a row, a dead letter, or undefined. */
function outcomesIn({ raw, columns, records, deadLetters }: Rows): unknown[] {
  const outcomes = new Array<unknown>(raw.count).fill(undefined)
  for (const [row, record] of records.entries()) outcomes[record] = rowAt(columns, row)
  for (const { offset, reason, message } of deadLetters) outcomes[Number(offset)] = { reason, message }
  return outcomes
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
}
