import { from, lastValueFrom, toArray } from 'rxjs'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import type { PartitionedRows } from '../../../operators/partition-by.ts'
import { takeRows } from '../../arrow/rows.ts'
import { invariant, type Batch } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'
import type { LetterPosition, StoredLetter } from '../../stored-letters/stored.ts'
import { pack, type KafkaRecord } from '../../kafka/source/pack-records.ts'
import { toRows, type RowPipelineOptions } from '../../pipeline.ts'

/** A dead letter that can be replayed. */
export interface ReplayableLetter {
  readonly position: LetterPosition
  readonly letter: StoredLetter
}

/** Describes a letter that failed again, with the present reason. */
export interface ReplayFailure {
  readonly position: LetterPosition
  readonly reason: string
  readonly message: string
}

/** Holds the outcome of running letters through the operators of their topic. */
interface ReplayedRows {
  readonly chunks: readonly Chunk[]
  /** Letters whose rows are all in `chunks`; a letter has no rows when the topic's rules filter it. */
  readonly passed: readonly LetterPosition[]
  /** Letters without any row in `chunks`: when one record of a message fails, the whole letter fails. */
  readonly failed: readonly ReplayFailure[]
}

/** Runs letters through the operators of their topic, as the records they were. */
export async function rowsOfLetters(
  letters: readonly ReplayableLetter[],
  parts: RowPipelineOptions,
  partitionColumns: readonly string[],
): Promise<ReplayedRows> {
  const groups = groupByOrdinal(letters)
  const outcomes = await lastValueFrom(
    from(groups.map(batchOf)).pipe(toRows(parts, partitionColumns), toArray()),
  )
  const passed: LetterPosition[] = []
  const failed: ReplayFailure[] = []
  // The batches stay in order; a large one leaves in parts.
  const ordered = groups.flat()
  let next = 0
  const chunks = outcomes.map(({ payload, provenance }) => {
    const part = ordered.slice(next, next + provenance.records)
    next += provenance.records
    const failures = new Map(payload.rows.deadLetters.map((letter) => [letter.offset, letter]))
    for (const { position } of part) {
      const failure = failures.get(position.offset)
      if (failure === undefined) passed.push(position)
      else failed.push({ position, reason: failure.reason, message: failure.message })
    }
    return chunkWithout(payload, new Set(failures.keys()))
  })
  invariant(next === ordered.length, `${ordered.length} letters were replayed, ${next} came out`)
  return { chunks: chunks.filter(({ columns }) => columns.length > 0), passed, failed }
}

/** Groups letters by partition and ordinal, sorted by offset, so that no offset occurs twice in a group. */
function groupByOrdinal(letters: readonly ReplayableLetter[]): readonly (readonly ReplayableLetter[])[] {
  const groups = new Map<string, ReplayableLetter[]>()
  for (const letter of letters) {
    const { topic, partition, ordinal } = letter.position
    const key = `${topic}/${partition}/${ordinal}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [letter])
    else group.push(letter)
  }
  return [...groups.values()].map((group) =>
    group.sort(({ position: a }, { position: b }) =>
      a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0,
    ),
  )
}

function batchOf(letters: readonly ReplayableLetter[]): Batch<Raw> {
  // Groups are never empty.
  const { topic, partition, offset: first } = (letters[0] as ReplayableLetter).position
  const payload = pack(topic, partition, letters.map(recordOf), first)
  const provenance = {
    topic,
    partition,
    follows: undefined,
    first,
    last: letters.at(-1)?.position.offset ?? first,
    records: letters.length,
    bytes: 0,
    polledAtMs: 0,
    traceparents: [],
    timings: [],
  }
  return { provenance, payload }
}

function recordOf({ position, letter }: ReplayableLetter): KafkaRecord {
  const { key, value, headers, timestampMs } = letter
  const bufferOf = (bytes: Uint8Array | null | undefined): Buffer | null =>
    bytes === null || bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    key: bufferOf(key),
    value: bufferOf(value),
    timestamp: String(timestampMs),
    offset: String(position.offset),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, one]) => [
              name,
              one === null || one instanceof Uint8Array ? bufferOf(one) : one.map(bufferOf),
            ]),
          ),
        }),
  }
}

function chunkWithout({ rows, labels, partitions }: PartitionedRows, offsets: ReadonlySet<bigint>): Chunk {
  const { columns, records, raw } = rows
  const kept = Int32Array.from(records.keys()).filter(
    (row) => !offsets.has(raw.offsets[records[row] as number] as bigint),
  )
  if (kept.length === records.length) return { columns, labels, partitions }
  const labelOf = labels === undefined ? undefined : kept.map((row) => labels[row] as number)
  return { columns: takeRows(columns, kept), labels: labelOf, partitions }
}
