import assert from 'node:assert/strict'
import { of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { Format } from '../../../src/formats/format.ts'
import { provenanceOf } from './batches.ts'

/** What became of one record. */
export type Outcome =
  | 'tombstone'
  | { readonly row: Readonly<Record<string, unknown>> }
  | { readonly reason: string; readonly message: string }

/** What `decode` and `validate` make of every record, in their order; each must have become one thing exactly. */
export function outcomesOf(format: Format, contract: Contract, raw: Raw): Outcome[] {
  return outcomesOfRows(decodedRows(format, contract, raw))
}

/** What `decode` and `validate` make of a batch. */
export function decodedRows(format: Format, contract: Contract, raw: Raw): Rows {
  let rows: Rows | undefined
  const batch = { provenance: provenanceOf({ records: raw.count }), payload: raw }
  of(batch)
    .pipe(decode(format), validate(contract))
    .subscribe((out) => (rows = out.payload))
  assert.ok(rows !== undefined, 'a batch gives rows at once')
  return rows
}

/** The same for rows that are made already. */
export function outcomesOfRows({ raw, columns, records, deadLetters, tombstones }: Rows): Outcome[] {
  const outcomes = new Array<Outcome | undefined>(raw.count).fill(undefined)
  const settle = (record: number, outcome: Outcome): void => {
    assert.equal(outcomes[record], undefined, `record ${record} has two outcomes`)
    outcomes[record] = outcome
  }
  assert.equal(columns.length, records.length)
  for (const [row, record] of records.entries()) settle(record, { row: rowAt(columns, row) })
  for (const { offset, part = 0, reason, message } of deadLetters)
    settle(raw.offsets.indexOf(offset) + part, { reason, message })
  const left = [...outcomes.keys()].filter((record) => outcomes[record] === undefined)
  assert.equal(left.length, tombstones)
  assert.ok(
    left.every((record) => raw.valueStart[record] === -1),
    'only tombstones are neither row nor dead letter',
  )
  return outcomes.map((outcome) => outcome ?? 'tombstone')
}
