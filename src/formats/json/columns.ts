import type { Raw } from '../../core/raw.ts'
import { StructBuilder } from '../../arrow/builder.ts'
import type { Columns } from '../../arrow/column.ts'
import type { FormatOptions } from '../format.ts'
import { objectReader } from './readers.ts'
import { skipSpace } from './scan.ts'

/** Reads JSON records straight into columns. */
export interface ColumnReader {
  /** Appends record `i` and says true; says false, with nothing appended, when the record needs a closer look. */
  read(raw: Raw, i: number): boolean
  /** The rows read since the last call, and how many fields of theirs were left out and counted. */
  finish(): { readonly rows: { columns: Columns; records: Int32Array }; readonly droppedFields: number }
}

/** A reader for a plain contract, or `undefined` when a type or rule of it is none that bytes alone can prove. */
export function columnReader({
  schema,
  plain,
  absent,
  unknown = 'skip',
}: FormatOptions): ColumnReader | undefined {
  if (plain === undefined) return undefined
  const builder = new StructBuilder(schema, absent)
  const strangers = { unknown, dropped: 0 }
  const reader = objectReader(plain, builder, strangers)
  if (reader === undefined) return undefined
  let records: number[] = []
  return {
    read(raw, i) {
      const { bytes } = raw
      const end = raw.valueEnd[i] as number
      const length = builder.length
      const dropped = strangers.dropped
      const at = reader.read(bytes, skipSpace(bytes, raw.valueStart[i] as number))
      // Space is skipped without a look at the end, since a newline stands there; so a read may run into the next record.
      if (at < 0 || at > end || skipSpace(bytes, at) < end) {
        builder.truncate(length)
        strangers.dropped = dropped
        return false
      }
      records.push(i)
      return true
    },
    finish() {
      const rows = { columns: builder.finishColumns(), records: Int32Array.from(records) }
      const droppedFields = strangers.dropped
      records = []
      strangers.dropped = 0
      return { rows, droppedFields }
    },
  }
}
