import type { DeadLetter } from '../core/batch.ts'
import { deadLetterOf } from '../core/dead-letter.ts'
import { messageOf } from '../core/errors.ts'
import { valueOf, type Raw } from '../core/raw.ts'
import type { Decoded, Format, WriterSchema } from './format.ts'

/** Describes how single values are read. */
export interface ValueReader {
  /** Returns value `i` of `raw` as an object of JSON-like values. Throws the fault of its dead letter. */
  read(value: Uint8Array, raw: Raw, i: number): object
  /** Returns the writer's schema of the value that was read last, if it names one. Absent when no value does. */
  lastWriter?(): WriterSchema | undefined
}

/**
 * Returns a format that decodes one value at a time into an object of JSON-like values. An error thrown by `read`
 * becomes the message of a dead letter.
 */
export function valueFormat(name: string, reader: ValueReader, prepare?: Format['prepare']): Format {
  return {
    name,
    ...(prepare === undefined ? {} : { prepare }),
    decode: (raw) => decodeValues(raw, reader),
  }
}

/** Decodes each value of a batch, or those of the given records, with `reader`, as `valueFormat` does. */
export function decodeValues(
  raw: Raw,
  reader: ValueReader,
  indexes: Iterable<number> = Array(raw.count).keys(),
): Decoded {
  const objects: object[] = []
  const records: number[] = []
  const writers: (WriterSchema | undefined)[] = []
  const deadLetters: DeadLetter[] = []
  let tombstones = 0
  let namesWriters = false
  for (const i of indexes) {
    const value = valueOf(raw, i)
    if (value === undefined) {
      tombstones++
      continue
    }
    try {
      objects.push(reader.read(value, raw, i))
      records.push(i)
    } catch (thrown) {
      deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
      continue
    }
    if (reader.lastWriter === undefined) continue
    const writer = reader.lastWriter()
    writers.push(writer)
    namesWriters ||= writer !== undefined
  }
  const decoded = { raw, validated: undefined, objects, records, deadLetters, tombstones }
  return namesWriters ? { ...decoded, writers } : decoded
}

/** Returns the result of decoding none of the records of a batch. */
export function emptyDecoded(raw: Raw): Decoded {
  return { raw, validated: undefined, objects: [], records: [], deadLetters: [], tombstones: 0 }
}
