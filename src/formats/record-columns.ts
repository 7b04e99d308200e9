import type { Columns } from '../arrow/column.ts'
import type { DroppedPaths } from '../arrow/rows.ts'
import type { Raw } from '../core/raw.ts'
import type { Decoded, SlowReason } from './format.ts'
import { decodeValues, emptyDecoded, type ValueReader } from './values.ts'

/** Decodes records of one set of columns directly from their bytes. It only accepts: other records are left to objects. */
export interface RecordColumns {
  /**
   * Appends record `i`, which has a value, as a row and returns `undefined`. Returns why the record must be decoded as an
   * object, and appends nothing, when bytes alone do not prove the row.
   */
  read(raw: Raw, i: number): SlowReason | undefined
  /** Returns the rows read since the last call, and the number and names of their fields that were left out. */
  finish(): FinishedRows
}

/** Holds the rows that one batch gave, and what was left out of them. */
export interface FinishedRows {
  readonly rows: { readonly columns: Columns; readonly records: Int32Array }
  readonly droppedFields: number
  /** Records whose rows may violate a rule of the contract and were left out; ascending. */
  readonly suspects?: readonly number[]
  /** Absent when names are not collected. */
  readonly droppedPaths?: DroppedPaths
}

/**
 * Decodes a batch into columns where `columns` accepts the record, and with `reader` into objects elsewhere. Without a reader
 * the other records are left out.
 */
export function decodeRecords(
  raw: Raw,
  columns: RecordColumns | undefined,
  reader: ValueReader | undefined,
): Decoded {
  const remaining: number[] = []
  const slow: Partial<Record<SlowReason, number>> = {}
  let tombstones = 0
  for (let i = 0; i < raw.count; i++) {
    if ((raw.valueStart[i] as number) < 0) {
      tombstones++
      continue
    }
    const reason = columns === undefined ? 'path' : columns.read(raw, i)
    if (reason === undefined) continue
    remaining.push(i)
    slow[reason] = (slow[reason] ?? 0) + 1
  }
  const finished = columns?.finish()
  const suspects = finished?.suspects ?? []
  if (suspects.length > 0) {
    slow.contract = (slow.contract ?? 0) + suspects.length
    remaining.push(...suspects)
    remaining.sort((a, b) => a - b)
  }
  const droppedFields = finished?.droppedFields ?? 0
  const droppedPaths = finished?.droppedPaths
  return {
    ...(reader === undefined ? emptyDecoded(raw) : decodeValues(raw, reader, remaining)),
    tombstones,
    validated: finished?.rows,
    ...(remaining.length > 0 ? { slow } : {}),
    ...(droppedFields > 0 ? { droppedFields } : {}),
    ...(droppedFields > 0 && droppedPaths !== undefined ? { droppedPaths: [droppedPaths] } : {}),
  }
}
