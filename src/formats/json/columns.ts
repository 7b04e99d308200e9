import type { Raw } from '../../core/raw.ts'
import { StructBuilder } from '../../arrow/builder.ts'
import { DroppedPaths } from '../../arrow/rows.ts'
import type { Columns } from '../../arrow/column.ts'
import type { FormatOptions } from '../format.ts'
import { jsonInputOf } from './json-input.ts'
import { readObject } from './read-value.ts'
import { skipSpace } from './scan.ts'
import { planObject } from './value-plan.ts'

/** Decodes JSON records directly into columns. */
export interface ColumnReader {
  /**
   * Appends record `i` and returns true. Returns false and appends nothing when the record must be parsed as an
   * object.
   */
  read(raw: Raw, i: number): boolean
  /** Returns the rows read since the last call, and the number and names of their fields that were left out. */
  finish(): {
    readonly rows: { columns: Columns; records: Int32Array }
    readonly droppedFields: number
    readonly droppedPaths: DroppedPaths
  }
}

/** Returns a reader for a plain contract, or `undefined` when bytes alone cannot prove one of its types or rules. */
export function columnReader({
  schema,
  plain,
  absentValues,
  unknownFields: policy = 'skip',
}: FormatOptions): ColumnReader | undefined {
  if (plain === undefined) return undefined
  const builder = new StructBuilder(schema, absentValues)
  const unknownCount = { policy, dropped: 0, paths: new DroppedPaths(schema) }
  const object = planObject(plain, builder, unknownCount)
  if (object === undefined) return undefined
  let records: number[] = []
  let input = jsonInputOf(new Uint8Array())
  return {
    read(raw, i) {
      const { bytes } = raw
      const end = raw.valueEnd[i] as number
      const length = builder.length
      const dropped = unknownCount.dropped
      if (input.bytes !== bytes) input = jsonInputOf(bytes)
      const at = readObject(input, builder, object, skipSpace(bytes, raw.valueStart[i] as number))
      // White space is skipped without bounds checks, because a newline follows each value. A read may therefore run
      // into the next record.
      if (at < 0 || at > end || skipSpace(bytes, at) < end) {
        builder.truncate(length)
        unknownCount.dropped = dropped
        return false
      }
      records.push(i)
      return true
    },
    finish() {
      const rows = { columns: builder.finishColumns(), records: Int32Array.from(records) }
      const droppedFields = unknownCount.dropped
      records = []
      input = jsonInputOf(new Uint8Array())
      unknownCount.dropped = 0
      return { rows, droppedFields, droppedPaths: unknownCount.paths }
    },
  }
}
