import { mergeRows, type DroppedPaths } from '../../arrow/rows.ts'
import { sumByReason, type DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import { RecordCollector } from '../framing/record-collector.ts'
import { messagesOf, ValueBuffer } from '../framing/some-messages.ts'
import type { Decoded, Format, ObjectReason, SlowCounts, SlowReason, WriterSchema } from '../format.ts'
import { slowCountsOf } from '../slow-counts.ts'
import { schemaHeaderOf } from '../framing/schema-id.ts'
import { MAGIC_BYTES_IN_ORDER, SCHEMA_ID, type MagicBytes, type FormatCandidate } from './candidates.ts'

/** A candidate together with the format that decodes it. */
export interface OpenCandidate extends FormatCandidate {
  readonly reader: Format
}

/**
 * Returns a format that detects the format of each value. A value with magic bytes has the candidates with these
 * magic bytes, any other value has the candidates without magic bytes. They are tried in order, and the first that
 * can decode the value is used. The records of each candidate are decoded together, so that a fast format stays fast.
 * A value that no candidate can decode is a dead letter with the faults of all of them.
 */
export function detectingFormat(candidates: readonly OpenCandidate[]): Format {
  const orders = candidateOrdersOf(candidates)
  const preparing = candidates.flatMap(({ reader }) => (reader.prepare === undefined ? [] : [reader]))
  return {
    name: [...new Set(candidates.map(({ format }) => format))].join(', '),
    decode: (raw) => new BatchDetection(raw, candidates).decoded(orders),
    ...(preparing.length === 0 ? {} : { prepare: (raw) => prepareAll(preparing, raw) }),
    objectReasons: () => candidates.flatMap((candidate) => reasonsOf(candidate)),
  }
}

function reasonsOf({ reader, format }: OpenCandidate): readonly ObjectReason[] {
  const reasons = reader.objectReasons?.() ?? [{ subject: 'format', reason: 'it makes objects' }]
  return reasons.map(({ subject, reason }) => ({ subject, reason: `${format}: ${reason}` }))
}

/** The candidates for a value in the order in which they are tried. */
type CandidateOrder = readonly OpenCandidate[]

interface CandidateOrders {
  readonly byMagic: readonly { readonly magic: MagicBytes; readonly order: CandidateOrder }[]
  /** For values whose headers hold a schema id; absent when no candidate has one. */
  readonly bySchemaHeader: CandidateOrder | undefined
  readonly others: CandidateOrder
}

function candidateOrdersOf(candidates: readonly OpenCandidate[]): CandidateOrders {
  const byMagic = MAGIC_BYTES_IN_ORDER.map((magic) => ({
    magic,
    order: candidates.filter((candidate) => candidate.magic === magic),
  }))
  return {
    byMagic: byMagic.filter(({ order }) => order.length > 0),
    bySchemaHeader: byMagic.find(({ magic, order }) => magic === SCHEMA_ID && order.length > 0)?.order,
    others: candidates.filter(({ magic }) => magic === undefined).sort((a, b) => a.rank - b.rank),
  }
}

function candidatesForValue(
  value: Uint8Array,
  raw: Raw,
  i: number,
  { byMagic, bySchemaHeader, others }: CandidateOrders,
): CandidateOrder {
  // Before the magic bytes, which such a value may begin with by chance.
  if (bySchemaHeader !== undefined && schemaHeaderOf(raw, i) !== undefined) return bySchemaHeader
  for (const { magic, order } of byMagic) if (magic.matches(value)) return order
  return others
}

function prepareAll(readers: readonly Format[], raw: Raw): Promise<void> | undefined {
  const waits = readers.flatMap((reader) => reader.prepare?.(raw) ?? [])
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
}

/** Messages that one candidate decoded together, and the result. */
interface Reading {
  readonly decoded: Decoded
  /** The index in the batch of each decoded message. */
  readonly messages: Int32Array
  /** The first record of each of these messages; `counts` holds the number of its records. */
  readonly starts: Int32Array
  readonly counts: Int32Array
}

/** Locates the records of a message. */
interface MessageLocation {
  readonly reading: Reading
  /** Index within the reading. */
  readonly message: number
}

/** Detects the formats in one batch and decodes it. */
class BatchDetection {
  readonly #raw: Raw
  readonly #candidates: readonly OpenCandidate[]
  readonly #locations: (MessageLocation | undefined)[]
  /** For each undecodable message, the faults of all candidates tried. */
  readonly #faults = new Map<number, string[]>()
  readonly #deadLetters: DeadLetter[] = []
  readonly #readings: Reading[] = []
  #tombstones = 0

  constructor(raw: Raw, candidates: readonly OpenCandidate[]) {
    this.#raw = raw
    this.#candidates = candidates
    this.#locations = new Array<MessageLocation | undefined>(raw.count).fill(undefined)
  }

  decoded(orders: CandidateOrders): Decoded {
    let pending = new Map<CandidateOrder, number[]>()
    for (let i = 0; i < this.#raw.count; i++) {
      const value = valueOf(this.#raw, i)
      if (value === undefined) this.#tombstones++
      else add(pending, candidatesForValue(value, this.#raw, i, orders), i)
    }
    for (let step = 0; pending.size > 0; step++) {
      const failed = new Map<CandidateOrder, number[]>()
      for (const [order, messages] of pending) {
        const candidate = order[step]
        if (candidate === undefined) for (const i of messages) this.#refuse(i, order)
        else
          for (const i of this.#read(
            candidate,
            messages,
            order.length === 1 && candidate.magic !== undefined,
          ))
            add(failed, order, i)
      }
      pending = failed
    }
    return this.#joined()
  }

  /**
   * Decodes messages with one candidate. Returns the messages of which no record could be decoded, unless the
   * candidate is the `only` one.
   */
  #read(candidate: OpenCandidate, messages: readonly number[], only: boolean): readonly number[] {
    const decoded = candidate.reader.decode(messagesOf(this.#raw, messages))
    const reading = readingOf(decoded, messages)
    this.#readings.push(reading)
    const failed = only ? new Set<number>() : failedOf(reading)
    for (const [message, i] of reading.messages.entries())
      if (!failed.has(message)) this.#locations[i] = { reading, message }
    if (failed.size === 0) {
      this.#deadLetters.push(...decoded.deadLetters)
      return []
    }
    const ofOffset = new Map(messages.map((i, message) => [this.#raw.offsets[i], message]))
    const reported = new Set<number>()
    for (const letter of decoded.deadLetters) {
      const message = ofOffset.get(letter.offset) ?? -1
      if (!failed.has(message)) this.#deadLetters.push(letter)
      else if (!reported.has(message)) {
        reported.add(message)
        add(this.#faults, messages[message] as number, `${nameOf(candidate)}: ${letter.message}`)
      }
    }
    return [...failed].map((message) => messages[message] as number)
  }

  #refuse(i: number, order: CandidateOrder): void {
    const ruledOut = this.#candidates.flatMap((candidate) =>
      order.includes(candidate) || candidate.magic === undefined
        ? []
        : [`${nameOf(candidate)}: expected ${candidate.magic.expected}`],
    )
    const faults = [...(this.#faults.get(i) ?? []), ...ruledOut].join('; ')
    this.#deadLetters.push(deadLetterOf(this.#raw, i, 'decode', `no format matches: ${faults}`))
  }

  /** Joins all readings into one result, in the order of the messages. */
  #joined(): Decoded {
    const expands = this.#readings.some(({ decoded }) => decoded.raw.parts !== undefined)
    const joined = expands ? expandedBy(this.#raw, this.#locations) : undefined
    const firstOf = (i: number): number => joined?.firsts[i] ?? i
    let validated: Decoded['validated']
    const objects: [record: number, object: unknown, writer: WriterSchema | undefined][] = []
    const nullTombstones: number[] = []
    let tombstones = this.#tombstones
    let droppedFields = 0
    let slow: SlowCounts | undefined
    const droppedPaths: DroppedPaths[] = []
    for (const reading of this.#readings) {
      const { decoded } = reading
      const recordOf = (record: number): number => {
        const message = decoded.raw.parts?.messageIndex[record] ?? record
        return firstOf(reading.messages[message] as number) + record - (reading.starts[message] as number)
      }
      if (decoded.validated !== undefined) {
        const rows = { columns: decoded.validated.columns, records: decoded.validated.records.map(recordOf) }
        validated = validated === undefined ? rows : mergeRows(validated, rows)
      }
      for (const [at, record] of decoded.records.entries())
        objects.push([recordOf(record), decoded.objects[at], decoded.writers?.[at]])
      for (const record of decoded.nullTombstones ?? []) nullTombstones.push(recordOf(record))
      tombstones += decoded.tombstones
      droppedFields += decoded.droppedFields ?? 0
      slow = sumByReason(slow, slowMessagesOf(decoded))
      droppedPaths.push(...(decoded.droppedPaths ?? []))
    }
    const namesWriters = this.#readings.some(({ decoded }) => decoded.writers !== undefined)
    if (this.#readings.length > 1) objects.sort(([a], [b]) => a - b)
    return {
      raw: joined?.raw ?? this.#raw,
      validated,
      objects: objects.map(([, object]) => object),
      records: objects.map(([record]) => record),
      ...(namesWriters ? { writers: objects.map(([, , writer]) => writer) } : {}),
      deadLetters: this.#deadLetters,
      tombstones,
      ...(nullTombstones.length > 0 ? { nullTombstones: nullTombstones.sort((a, b) => a - b) } : {}),
      ...(droppedFields > 0 ? { droppedFields, droppedPaths } : {}),
      ...slowOf(slow, this.#deadLetters.length),
    }
  }
}

/** Returns the counts of the messages that a candidate read; those that it could not read are read by the next one. */
function slowMessagesOf(decoded: Decoded): SlowCounts | undefined {
  let undecoded = decoded.deadLetters.length
  const kept: Partial<Record<SlowReason, number>> = {}
  const counts = slowCountsOf(decoded) ?? {}
  // Undecodable records have one of the first reasons.
  for (const reason of ['value', 'path', 'contract', 'field', 'schema', 'transform'] as const) {
    const count = counts[reason] ?? 0
    const failed = Math.min(count, undecoded)
    undecoded -= failed
    if (count > failed) kept[reason] = count - failed
  }
  return Object.keys(kept).length === 0 ? undefined : kept
}

function slowOf(messages: SlowCounts | undefined, undecoded: number): Pick<Decoded, 'slow'> {
  const slow = sumByReason(messages, undecoded === 0 ? undefined : { value: undecoded })
  return slow === undefined ? {} : { slow }
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function nameOf({ format, framing }: FormatCandidate): string {
  return framing === 'none' ? format : `${format} ${framing}`
}

function readingOf(decoded: Decoded, messages: readonly number[]): Reading {
  const { parts, count } = decoded.raw
  const starts = new Int32Array(messages.length)
  const counts = new Int32Array(messages.length)
  for (let record = count - 1; record >= 0; record--) {
    const message = parts?.messageIndex[record] ?? record
    starts[message] = record
    counts[message] = (counts[message] as number) + 1
  }
  return { decoded, messages: Int32Array.from(messages), starts, counts }
}

/** Returns the messages of a reading that contain records, none of which could be decoded. */
function failedOf({ decoded, messages, counts }: Reading): Set<number> {
  const failed = new Set(messages.keys())
  const read = (record: number): boolean => failed.delete(decoded.raw.parts?.messageIndex[record] ?? record)
  decoded.validated?.records.forEach(read)
  decoded.records.forEach(read)
  decoded.nullTombstones?.forEach(read)
  for (const [message, count] of counts.entries()) if (count === 0) failed.delete(message)
  return failed
}

/** Returns the batch with the records found in its messages, and the first record of each message. */
function expandedBy(
  raw: Raw,
  locations: readonly (MessageLocation | undefined)[],
): { readonly raw: Raw; readonly firsts: Int32Array } {
  const collector = new RecordCollector(raw)
  const values = new ValueBuffer()
  const firsts = new Int32Array(raw.count)
  /** For each record, the batch that it comes from and its index there. */
  const from: Raw[] = []
  const which: number[] = []
  for (const [i, location] of locations.entries()) {
    firsts[i] = collector.count
    const source = location?.reading.decoded.raw ?? raw
    const start = location === undefined ? i : (location.reading.starts[location.message] as number)
    const count = location === undefined ? 1 : (location.reading.counts[location.message] as number)
    for (let record = start; record < start + count; record++) {
      collector.add(i, ...values.add(valueOf(source, record)))
      from.push(source)
      which.push(record)
    }
  }
  const origin = {
    message: (k: number) => originOf(from[k] ?? raw).message(which[k] as number),
    framed: (k: number, part: Uint8Array) => originOf(from[k] ?? raw).framed(which[k] as number, part),
  }
  return { raw: { ...collector.raw(values.bytes()), origin }, firsts }
}
