import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import { messageOf } from '../../core/errors.ts'
import { isMessageObject } from '../../core/exact.ts'
import { valueOf, type Raw } from '../../core/raw.ts'
import type { Decoded, Format, FormatOptions, ObjectReason, SlowReason } from '../format.ts'
import { columnReader, type ColumnReader } from './columns.ts'
import { parseExact } from './exact.ts'
import { afterBom } from './json-input.ts'

/**
 * Returns the JSON format with one object per record. With a plain contract, records are decoded from bytes into
 * columns without JavaScript values in between. A record that deviates in any way (escapes, long numbers, a fault) is
 * parsed into an object and validated by the contract, so the fast path only accepts and never refuses.
 */
export function jsonFormat(changing: FormatOptions | Changing<FormatOptions>): Format {
  let idle: IdleReader | undefined
  const readerOf = (options: FormatOptions): IdleReader['reader'] =>
    idle?.of === options ? idle.reader : columnReader(options)
  return {
    name: 'json',
    objectReasons() {
      const of = currentOf(changing)
      const reader = readerOf(of)
      idle = { of, reader }
      return 'read' in reader ? [] : reader
    },
    decode(raw) {
      const options = currentOf(changing)
      const kept = readerOf(options)
      const reader = 'read' in kept ? kept : undefined
      // Kept only when the batch succeeds: after an error, such as that of a default value, the reader holds its rows.
      idle = undefined
      // One check covers all records, since newlines prevent two halves of a character from joining. If it fails, keys beside
      // the values may be the reason, so each value is checked.
      const allUtf8 = isUtf8(raw.bytes)
      let read = readRecords(raw, reader, allUtf8)
      if (read.records.length > 0 && reader?.restart() === true) read = readRecords(raw, reader, allUtf8)
      const finished = reader?.finish()
      idle = { of: options, reader: kept }
      const parsed = parseRecords(raw, options.onlyColumns === true ? [] : read.records, allUtf8, options)
      return {
        raw,
        validated: finished?.rows,
        ...(finished === undefined || finished.droppedFields === 0
          ? {}
          : { droppedFields: finished.droppedFields, droppedPaths: [finished.droppedPaths] }),
        ...(finished?.sources === undefined ? {} : { sources: finished.sources }),
        ...slowOf(read, parsed.nullTombstones),
        ...withNulls(parsed, read.tombstones),
      }
    },
  }
}

/** Holds a reader between two batches, or why there is none for these columns. */
interface IdleReader {
  readonly of: FormatOptions
  readonly reader: ColumnReader | readonly ObjectReason[]
}

/** Holds what is left after records were read into columns. */
interface Remaining {
  /** The records to be parsed, ascending, and why. */
  readonly records: readonly number[]
  readonly reasons: readonly SlowReason[]
  readonly tombstones: number
}

/** Reads the records of a batch into columns as far as bytes alone allow it. */
function readRecords(raw: Raw, reader: ColumnReader | undefined, allUtf8: boolean): Remaining {
  const records: number[] = []
  const reasons: SlowReason[] = []
  let tombstones = 0
  for (let i = 0; i < raw.count; i++) {
    if ((raw.valueStart[i] as number) < 0) {
      tombstones++
      continue
    }
    const isText = allUtf8 || isUtf8(valueOf(raw, i) as Uint8Array)
    const slow = reader === undefined ? 'path' : isText ? reader.read(raw, i) : 'value'
    if (slow === undefined) continue
    records.push(i)
    reasons.push(slow)
  }
  return { records, reasons, tombstones }
}

/** Counts the records that were parsed, without those that turned out to be null. */
function slowOf({ records, reasons }: Remaining, nullTombstones: readonly number[]): Pick<Decoded, 'slow'> {
  if (records.length === nullTombstones.length) return {}
  const nulls = new Set(nullTombstones)
  const slow: Partial<Record<SlowReason, number>> = {}
  for (const [index, reason] of reasons.entries())
    if (!nulls.has(records[index] as number)) slow[reason] = (slow[reason] ?? 0) + 1
  return { slow }
}

/** The value `null` is a tombstone, like a missing value. */
function withNulls(
  parsed: Parsed,
  tombstones: number,
): Omit<Parsed, 'nullTombstones'> & Pick<Decoded, 'tombstones' | 'nullTombstones'> {
  const { nullTombstones, ...rest } = parsed
  return nullTombstones.length === 0
    ? { ...rest, tombstones }
    : { ...parsed, tombstones: tombstones + nullTombstones.length }
}

type Parsed = Pick<Decoded, 'objects' | 'records' | 'deadLetters'> & {
  readonly nullTombstones: readonly number[]
}

function parseRecords(
  raw: Raw,
  indices: readonly number[],
  allUtf8: boolean,
  options: FormatOptions,
): Parsed {
  const objects: unknown[] = []
  const records: number[] = []
  const deadLetters: DeadLetter[] = []
  const nullTombstones: number[] = []
  for (const i of indices) {
    const parsed = parseRecord(raw, i, allUtf8, options)
    if (parsed === null) nullTombstones.push(i)
    else if (typeof parsed === 'string') deadLetters.push(deadLetterOf(raw, i, 'decode', parsed))
    else {
      objects.push(parsed)
      records.push(i)
    }
  }
  return { objects, records, deadLetters, nullTombstones }
}

/** Returns the record as an object, null, or the text of its fault. */
function parseRecord(
  raw: Raw,
  i: number,
  allUtf8: boolean,
  { keepFractions = false }: FormatOptions,
): object | string | null {
  const end = raw.valueEnd[i] as number
  const start = afterBom(raw.bytes, raw.valueStart[i] as number, end)
  if (start === end) return 'expected a JSON object, got an empty value'
  const bytes = Buffer.from(raw.bytes.buffer, raw.bytes.byteOffset + start, end - start)
  if (!allUtf8 && !isUtf8(bytes)) return 'expected UTF-8, got invalid bytes'
  try {
    const value = parseExact(bytes.toString('utf8'), { keepFractions })
    if (value === null || isMessageObject(value)) return value
    const kind = Array.isArray(value)
      ? 'an array'
      : typeof value === 'object'
        ? 'a number'
        : `a ${typeof value}`
    return `expected a JSON object, got ${kind}`
  } catch (thrown) {
    return thrown instanceof RangeError ? thrown.message : `expected JSON: ${messageOf(thrown)}`
  }
}
