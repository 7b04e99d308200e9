import { from, lastValueFrom, toArray } from 'rxjs'
import type { Chunk } from '../../../operators/buffer-time-or-count.ts'
import type { Labelled } from '../../../operators/partition-by.ts'
import { takeRows } from '../../arrow/rows.ts'
import type { Batch } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'
import type { Place, StoredLetter } from '../../dead-letters/stored.ts'
import { pack, type KafkaRecord } from '../../kafka/source/pack.ts'
import { toRows, type RowParts } from '../../pipeline.ts'

/** A letter that can be played again. */
export interface Playable {
  readonly place: Place
  readonly letter: StoredLetter
}

/** A letter that failed again, and why now. */
export interface Failure {
  readonly place: Place
  readonly reason: string
  readonly message: string
}

/** Letters after another run through the operators of their topic. */
export interface Played {
  readonly chunks: readonly Chunk[]
  /** Letters of which `chunks` hold all rows; a letter may have none, where the topic's rules filter it. */
  readonly passed: readonly Place[]
  /** Letters of which no row is in `chunks`: those of which something failed are left out as a whole. */
  readonly failed: readonly Failure[]
}

/** Takes letters through the operators of their topic, as the records that they were. */
export async function rowsOfLetters(
  letters: readonly Playable[],
  parts: RowParts,
  partitionColumns: readonly string[],
): Promise<Played> {
  const groups = grouped(letters)
  const outcomes = await lastValueFrom(
    from(groups.map(batchOf)).pipe(toRows(parts, partitionColumns), toArray()),
  )
  const passed: Place[] = []
  const failed: Failure[] = []
  const chunks = outcomes.map(({ payload }, index) => {
    const group = groups[index] ?? []
    const causes = new Map(payload.rows.deadLetters.map((letter) => [letter.offset, letter]))
    for (const { place } of group) {
      const cause = causes.get(place.offset)
      if (cause === undefined) passed.push(place)
      else failed.push({ place, reason: cause.reason, message: cause.message })
    }
    return chunkWithout(payload, new Set(causes.keys()))
  })
  return { chunks: chunks.filter(({ columns }) => columns.length > 0), passed, failed }
}

/** By partition and number within the message, so that no offset comes twice in a group; ascending. */
function grouped(letters: readonly Playable[]): readonly (readonly Playable[])[] {
  const groups = new Map<string, Playable[]>()
  for (const letter of letters) {
    const { topic, partition, ordinal } = letter.place
    const key = `${topic}/${partition}/${ordinal}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [letter])
    else group.push(letter)
  }
  return [...groups.values()].map((group) =>
    group.sort(({ place: a }, { place: b }) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0)),
  )
}

function batchOf(letters: readonly Playable[]): Batch<Raw> {
  // A group is never empty.
  const { topic, partition, offset: first } = (letters[0] as Playable).place
  const payload = pack(topic, partition, letters.map(recordOf), first)
  const provenance = {
    topic,
    partition,
    follows: undefined,
    first,
    last: letters.at(-1)?.place.offset ?? first,
    records: letters.length,
    bytes: 0,
    polledAtMs: 0,
    traceparents: [],
    timings: [],
  }
  return { provenance, payload }
}

function recordOf({ place, letter }: Playable): KafkaRecord {
  const { key, value, headers, timestampMs } = letter
  const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    key: key === undefined ? null : bufferOf(key),
    value: value === undefined ? null : bufferOf(value),
    timestamp: String(timestampMs),
    offset: String(place.offset),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, one]) => [
              name,
              one instanceof Uint8Array ? bufferOf(one) : one.map(bufferOf),
            ]),
          ),
        }),
  }
}

function chunkWithout({ rows, labels, partitions }: Labelled, offsets: ReadonlySet<bigint>): Chunk {
  const { columns, records, raw } = rows
  const kept = Int32Array.from(records.keys()).filter(
    (row) => !offsets.has(raw.offsets[records[row] as number] as bigint),
  )
  if (kept.length === records.length) return { columns, labels, partitions }
  const labelOf = labels === undefined ? undefined : kept.map((row) => labels[row] as number)
  return { columns: takeRows(columns, kept), labels: labelOf, partitions }
}
