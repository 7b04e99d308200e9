import type { DeadLetter } from '../../../core/batch.ts'
import { currentOf, type Changing } from '../../../core/changing.ts'
import { deadLetterOf } from '../../../core/dead-letter.ts'
import { messageOf } from '../../../core/errors.ts'
import { valueOf, type Raw } from '../../../core/raw.ts'
import type { Decoded, FormatOptions, ObjectReason, SlowReason, WriterSchema } from '../../format.ts'
import type { RecordReader } from '../read.ts'
import { AvroColumnReader } from './column-reader.ts'

/** Keeps the reader of columns between batches, as long as the columns stay the same. */
export class IdleColumns {
  readonly #changing: FormatOptions | Changing<FormatOptions>
  #idle: AvroColumnReader | undefined

  constructor(changing: FormatOptions | Changing<FormatOptions>) {
    this.#changing = changing
  }

  /** Returns a reader for the present columns. */
  take(): AvroColumnReader {
    const options = currentOf(this.#changing)
    const reader = this.#idle?.of === options ? this.#idle : new AvroColumnReader(options)
    // Kept only when the batch succeeds: after an error, such as that of a default value, the reader holds its rows.
    this.#idle = undefined
    return reader
  }

  /** Keeps a reader for the next batch. */
  keep(reader: AvroColumnReader): void {
    this.#idle = reader
  }

  /** Returns why records of these readers, and of those seen so far, need objects. */
  reasons(readers: Iterable<RecordReader>): readonly ObjectReason[] {
    const reader = this.take()
    this.keep(reader)
    return reader.reasons(readers)
  }
}

/** Holds the state of `SlowRecords` before records that may have to be dropped again. */
export interface SlowMark {
  readonly length: number
  readonly counts: Partial<Record<SlowReason, number>>
}

/** Collects the records of a batch that are read as objects, and why. */
export class SlowRecords {
  readonly #records: number[] = []
  #counts: Partial<Record<SlowReason, number>> = {}

  add(record: number, reason: SlowReason): void {
    this.#records.push(record)
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1
  }

  /** Returns the present state, for `reset`. */
  mark(): SlowMark {
    return { length: this.#records.length, counts: { ...this.#counts } }
  }

  /** Drops what was added since `mark`. */
  reset({ length, counts }: SlowMark): void {
    this.#records.length = length
    this.#counts = { ...counts }
  }

  /** Returns the records, ascending. */
  get records(): readonly number[] {
    return this.#records.sort((a, b) => a - b)
  }

  /** Returns the part of the batch that says how many there are. */
  get counted(): Pick<Decoded, 'slow'> {
    return this.#records.length === 0 ? {} : { slow: this.#counts }
  }
}

/** Describes how single values are read as objects. */
interface ObjectReader {
  /** Returns value `i` of `raw`. Throws the fault of its dead letter. */
  read(value: Uint8Array, raw: Raw, i: number): object
  /** Returns the writer's schema of the value that was read last, if it names one. */
  lastWriter(): WriterSchema | undefined
}

/** Decodes values of a batch as objects: the given ones, or all. Tombstones are counted in the whole batch. */
export function decodeObjects(raw: Raw, reader: ObjectReader, given?: readonly number[]): Decoded {
  const objects: object[] = []
  const records: number[] = []
  const writers: (WriterSchema | undefined)[] = []
  const deadLetters: DeadLetter[] = []
  let tombstones = 0
  for (let i = 0; i < raw.count; i++) if ((raw.valueStart[i] as number) < 0) tombstones++
  for (const i of given ?? Array.from({ length: raw.count }, (_, at) => at)) {
    const value = valueOf(raw, i)
    if (value === undefined) continue
    try {
      objects.push(reader.read(value, raw, i))
      records.push(i)
      writers.push(reader.lastWriter())
    } catch (thrown) {
      deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
    }
  }
  const decoded = { raw, validated: undefined, objects, records, deadLetters, tombstones }
  return writers.some((writer) => writer !== undefined) ? { ...decoded, writers } : decoded
}

/** Returns the rows that were read directly, as parts of a batch, and adds the records that are suspect to `slow`. */
export function finishRows(
  columns: AvroColumnReader,
  slow: SlowRecords,
): {
  readonly rows: Pick<Decoded, 'validated' | 'droppedFields' | 'droppedPaths'>
  readonly suspects: readonly number[]
} {
  const { rows, droppedFields, droppedPaths, suspects } = columns.finish()
  for (const record of suspects) slow.add(record, 'contract')
  const dropped = droppedFields === 0 ? {} : { droppedFields, droppedPaths: [droppedPaths] }
  return { rows: { validated: rows, ...dropped }, suspects }
}
