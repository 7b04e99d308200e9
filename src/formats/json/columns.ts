import type { Raw } from '../../core/raw.ts'
import { StructBuilder } from '../../arrow/builder.ts'
import { DroppedPaths } from '../../arrow/rows.ts'
import type { Columns } from '../../arrow/column.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../format.ts'
import type { SourceColumns } from '../sources.ts'
import { jsonInputOf } from './columns/json-bytes.ts'
import { readRow } from './columns/read-value.ts'
import { skipSpace } from './columns/scan.ts'
import type { UnknownFields } from './columns/plan.ts'
import { SourceTaps } from './columns/source-taps.ts'
import { settleNames } from './columns/unknown-fields.ts'
import { planRecord } from './columns/value-plan.ts'
import { afterBom } from './json-input.ts'

/** Decodes JSON records directly into columns. */
export interface ColumnReader {
  /**
   * Appends record `i` and returns `undefined`. Returns why it must be parsed as an object, and appends nothing, when bytes
   * alone cannot prove its row.
   */
  read(raw: Raw, i: number): SlowReason | undefined
  /**
   * Drops all rows and returns true when one of them had an unknown field with an empty value, such as `[]`; records with one
   * are refused from then on, until `finish`. Another record of the batch may add a column for that field, in which an empty
   * value is a value.
   */
  restart(): boolean
  /** Returns the rows read since the last call, and the number and names of their fields that were left out. */
  finish(): {
    readonly rows: { columns: Columns; records: Int32Array }
    readonly droppedFields: number
    readonly droppedPaths: DroppedPaths
    /** The values of `FormatOptions.sources`, if there are any. */
    readonly sources: SourceColumns | undefined
  }
}

/** Reasons for columns without a plain contract. */
const NOT_PLAIN: readonly ObjectReason[] = [
  { subject: 'contract', reason: 'has rules that bytes alone cannot prove' },
]

/**
 * Returns a reader for a plain contract, or the reasons why there is none: a type or a rule that bytes alone cannot
 * prove.
 */
export function columnReader(options: FormatOptions): ColumnReader | readonly ObjectReason[] {
  const { schema, plain, absentValues, unknownFields: policy = 'skip', ignoresEmpty = false } = options
  if (plain === undefined) return NOT_PLAIN
  const builder = new StructBuilder(schema, absentValues)
  const paths = new DroppedPaths(schema)
  const unknown: UnknownFields = { policy, ignoresEmpty, hasIgnored: false, dropped: 0, paths, named: [] }
  const { sources, keepFractions = false } = options
  const taps = sources && new SourceTaps(sources, builder, keepFractions)
  const plan = planRecord(plain, builder, options, unknown, taps)
  if (!('members' in plan)) return plan
  let records: number[] = []
  let input = jsonInputOf(new Uint8Array())
  return {
    read(raw, i) {
      const { bytes } = raw
      const end = raw.valueEnd[i] as number
      const length = builder.length
      const dropped = unknown.dropped
      if (input.bytes !== bytes) input = jsonInputOf(bytes)
      input.slow = 'value'
      const start = afterBom(bytes, raw.valueStart[i] as number, end)
      taps?.begin(length, raw.valueStart[i] as number, end)
      const at = readRow(input, builder, plan, skipSpace(bytes, start))
      // White space is skipped without bounds checks, because a newline follows each value. A read may therefore run
      // into the next record.
      const isRow = at >= 0 && at <= end && skipSpace(bytes, at) >= end && taps?.isRefused !== true
      if (unknown.named.length > 0) settleNames(unknown, isRow)
      if (!isRow) {
        builder.truncate(length)
        unknown.dropped = dropped
        return input.slow
      }
      taps?.end(unknown.dropped - dropped)
      records.push(i)
      return undefined
    },
    restart() {
      if (!unknown.hasIgnored) return false
      builder.truncate(0)
      records = []
      unknown.ignoresEmpty = unknown.hasIgnored = false
      return true
    },
    finish() {
      const rows = { columns: builder.finishColumns(), records: Int32Array.from(records) }
      const droppedFields = unknown.dropped
      const taken = taps?.finish(input.bytes, rows.records.length)
      records = []
      input = jsonInputOf(new Uint8Array())
      unknown.dropped = 0
      unknown.ignoresEmpty = ignoresEmpty
      unknown.hasIgnored = false
      return { rows, droppedFields, droppedPaths: paths, sources: taken }
    },
  }
}
