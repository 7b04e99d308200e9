import type { Columns } from '../arrow/column.ts'
import { takeRows } from '../arrow/rows.ts'

/** Holds rows without the suspect ones, and the records of these. */
export interface Unsuspected {
  readonly columns: Columns
  readonly records: Int32Array
  /** Records whose rows were left out, ascending as `records`. */
  readonly suspects: readonly number[]
}

/**
 * Returns the rows without those that `suspect` marks, in the same order, and the records of the marked rows. The columns
 * are the given ones when no row is marked.
 */
export function withoutSuspects(columns: Columns, records: Int32Array, suspect: Uint8Array): Unsuspected {
  const { length } = records
  let count = 0
  for (let row = 0; row < length; row++) if (suspect[row] === 1) count++
  if (count === 0) return { columns, records, suspects: [] }
  const kept = new Int32Array(length - count)
  const suspects: number[] = []
  let at = 0
  for (let row = 0; row < length; row++)
    if (suspect[row] === 1) suspects.push(records[row] as number)
    else kept[at++] = row
  return { columns: takeRows(columns, kept), records: kept.map((row) => records[row] as number), suspects }
}
