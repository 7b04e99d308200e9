import assert from 'node:assert/strict'
import type { Row, Rows } from '../../../src/arrow/rows.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import type { Batch } from '../../../src/core/batch.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import { provenanceOf, rowsOf, structOf } from '../flow/batches.ts'
import { outputsOf } from '../flow/operator-contract.ts'

/** The columns of the rows of most tests of row operators. */
export const ROW_COLUMNS: StructType = structOf({ n: 'long', s: 'string' })

/** Four rows with n from 1 to 4. */
export const FOUR_ROWS: readonly Row[] = [1, 2, 3, 4].map((n) => ({ n, s: `t${n}` }))

/** Where the records of a batch are in their partition. */
export interface RowBatchPlace {
  readonly first?: bigint
  readonly follows?: bigint | undefined
  readonly partition?: number
  readonly timestampMs?: number
}

/** A batch with one record for each row, from offset 10 unless told otherwise. */
export function rowBatch(
  rows: readonly Row[],
  place: RowBatchPlace = {},
  schema: StructType = ROW_COLUMNS,
): Batch<Rows> {
  const { first = 10n, partition = 0, timestampMs } = place
  const at = { first, partition, keys: ['k'], ...(timestampMs === undefined ? {} : { timestampMs }) }
  const follows = 'follows' in place ? { follows: place.follows } : {}
  return {
    provenance: provenanceOf({ first, partition, records: rows.length, ...follows }),
    payload: rowsOf(schema, rows, at),
  }
}

/** What an operator makes of one batch; all records are accounted for. */
export function rowsAfter(operator: RowOperator, rows: readonly Row[] = FOUR_ROWS): Rows {
  const input = rowBatch(rows)
  const [out] = outputsOf(operator, [input])
  assert.equal(out?.provenance, input.provenance)
  assertAccounted(out.payload)
  return out.payload
}

/** Fails unless records + expanded = rows + dead letters + tombstones + filtered. */
export function assertAccounted({
  raw,
  columns,
  deadLetters,
  tombstones,
  filtered,
  expanded = 0,
}: Rows): void {
  assert.equal(
    raw.count + expanded,
    columns.length + deadLetters.length + tombstones + filtered,
    'what came in is accounted for',
  )
}

/** The rows of a batch as objects. */
export function shownRows({ columns }: Rows): Row[] {
  return Array.from({ length: columns.length }, (_, row) => rowAt(columns, row))
}

/** Offset, reason and message of each dead letter. */
export function shownLetters({ deadLetters }: Rows): (readonly [bigint, string, string])[] {
  return deadLetters.map(({ offset, reason, message }) => [offset, reason, message])
}
