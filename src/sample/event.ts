import { ByteSink } from '../kafka/produce/byte-sink.ts'
import { BAD_RECORD_KINDS, corruptEvent } from './bad-records.ts'
import type { BadRecordKind, CorruptibleFields } from './bad-records.ts'
import { seededRandom } from './random.ts'

/** Describes which events are generated. */
export interface SampleOptions {
  /** Seed: equal seeds give equal events, byte for byte. */
  readonly seed: number
  /** Number of events; endless when absent. */
  readonly count?: number
  /** Every how many events one is bad, cycling through `BAD_RECORD_KINDS`; none when absent. */
  readonly badEvery?: number
  /** Time of the first event, milliseconds since the epoch; default 2026-03-01T00:00:00Z. */
  readonly startMs?: number
  /** Mean time between events, milliseconds; default 1,296, so that 200,000 events take three days. */
  readonly stepMs?: number
  /** Days after which the time starts again from `startMs`, and therefore the number of dates; default 3. */
  readonly days?: number
  /** Every how many events one carries a `traceparent` header; none when absent. */
  readonly traceparentEvery?: number
  /** Prefixes every value that is not empty with the wire format header of a schema registry for this id. */
  readonly schemaId?: number
}

/** Describes one generated record. */
export interface SampleEvent {
  /** Unique: the event's id, with the prefix `bad-<kind>-` when the record is bad. */
  readonly key: string
  readonly value: Buffer
  readonly headers?: Readonly<Record<string, string>>
  /** The kind of a bad record; absent for a valid one. */
  readonly bad?: BadRecordKind
}

/**
 * Describes one generated record whose bytes are valid until the next one is generated, because both use the same memory.
 */
export interface SampleRecord extends Pick<SampleEvent, 'headers' | 'bad'> {
  readonly key: ByteSink
  readonly value: ByteSink
}

/** Describes how events of one kind are made. */
export interface SampleKind {
  /**
   * Writes the JSON of an event from its id, its time in milliseconds since the epoch and two random 32-bit numbers.
   */
  readonly write: (json: ByteSink, id: ByteSink, atMs: number, first: number, second: number) => void
  /** The fields that bad records corrupt. */
  readonly corruptibleFields: CorruptibleFields
}

/** Greatest random delay that is added to the time of an event, in milliseconds. */
export const TIMESTAMP_JITTER_MS = 60_000

const DAY_MS = 86_400_000
const [T, Z, DASH, COLON, DOT] = [0x54, 0x5a, 0x2d, 0x3a, 0x2e] as const
const lastDay = { day: NaN, date: new Uint8Array(10) }

/** Generates events of one kind, in the order of their number. Deterministic. */
export function* generateEvents(kind: SampleKind, options: SampleOptions): Generator<SampleEvent> {
  for (const { key, value, headers, bad } of generateRecords(kind, options))
    yield {
      key: key.toString(),
      value: value.copy(),
      ...(headers === undefined ? {} : { headers }),
      ...(bad === undefined ? {} : { bad }),
    }
}

/**
 * Generates the same events as `generateEvents` into memory that is used again for the next one, several times as fast: no
 * text and no buffer is made for an event.
 */
export function* generateRecords(kind: SampleKind, options: SampleOptions): Generator<SampleRecord> {
  const { seed, count = Infinity, badEvery = 0, traceparentEvery = 0 } = options
  const random = seededRandom(seed)
  const { startMs = Date.UTC(2026, 2, 1), stepMs = 1_296, days = 3 } = options
  const frame = options.schemaId === undefined ? undefined : registryHeaderOf(options.schemaId)
  const [id, json, badKey, badValue] = [new ByteSink(64), new ByteSink(), new ByteSink(128), new ByteSink()]
  const plain: SampleRecord = { key: id, value: json }
  let badCount = 0
  for (let number = 0; number < count; number++) {
    id.clear()
    json.clear()
    const high = random()
    writeEventId(id, high, random(), number)
    const atMs = startMs + ((number * stepMs + (random() % TIMESTAMP_JITTER_MS)) % (days * DAY_MS))
    if (frame !== undefined) json.raw(frame)
    const first = random()
    kind.write(json, id, atMs, first, random())
    const headers =
      traceparentEvery > 0 && number % traceparentEvery === 0
        ? { traceparent: traceparent(random) }
        : undefined
    const bad =
      badEvery > 0 && number % badEvery === badEvery - 1
        ? BAD_RECORD_KINDS[badCount++ % BAD_RECORD_KINDS.length]
        : undefined
    if (bad === undefined) yield headers === undefined ? plain : { ...plain, headers }
    else {
      badKey.clear()
      badKey.text(`bad-${bad}-`)
      badKey.raw(id.bytes, id.length)
      const text = json.bytes.toString('utf8', frame?.length ?? 0, json.length)
      const corrupted = corruptEvent(text, bad, kind.corruptibleFields)
      badValue.clear()
      if (frame !== undefined && corrupted.length > 0) badValue.raw(frame)
      badValue.raw(corrupted)
      yield { key: badKey, value: badValue, bad, ...(headers === undefined ? {} : { headers }) }
    }
  }
}

/** Returns a zero byte and the id in 32 bits, as Confluent's serializers write them. */
function registryHeaderOf(schemaId: number): Buffer {
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(schemaId, 1)
  return frame
}

/** Writes an id in the form of a UUID. Its last twelve digits are the number of the event, which makes it unique. */
function writeEventId(id: ByteSink, high: number, low: number, number: number): void {
  id.hex4(high >>> 16)
  id.hex4(high)
  id.byte(DASH)
  id.hex4(low)
  id.byte(DASH)
  // The version and the variant of a random UUID replace one digit each.
  const version = id.length
  id.hex4(low >>> 16)
  id.bytes[version] = 0x34
  id.byte(DASH)
  const variant = id.length
  id.hex4(high >>> 8)
  id.bytes[variant] = 0x38
  id.byte(DASH)
  id.hex4(Math.floor(number / 0x1_0000_0000))
  id.hex4(number >>> 16)
  id.hex4(number)
}

/** Writes the same text as `Date.toISOString`, but caches the text of the day, which takes half of its time. */
export function writeIsoTimestamp(sink: ByteSink, atMs: number): void {
  const ms = Math.floor(atMs) - Math.floor(atMs / DAY_MS) * DAY_MS
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const rest = ms - seconds * 1000
  writeIsoDate(sink, atMs)
  sink.byte(T)
  sink.pair(hours)
  sink.byte(COLON)
  sink.pair(minutes - hours * 60)
  sink.byte(COLON)
  sink.pair(seconds - minutes * 60)
  sink.byte(DOT)
  const hundreds = Math.floor(rest / 100)
  sink.byte(0x30 + hundreds)
  sink.pair(rest - hundreds * 100)
  sink.byte(Z)
}

/** Writes the UTC date, such as `2026-03-01`. */
export function writeIsoDate(sink: ByteSink, atMs: number): void {
  const day = Math.floor(atMs / DAY_MS)
  if (day !== lastDay.day) {
    lastDay.day = day
    lastDay.date = Buffer.from(new Date(day * DAY_MS).toISOString().slice(0, 10))
  }
  sink.raw(lastDay.date)
}

/** W3C Trace Context, sampled. */
function traceparent(random: () => number): string {
  const hex8 = (): string => random().toString(16).padStart(8, '0')
  return `00-${hex8()}${hex8()}${hex8()}${hex8()}-${hex8()}${hex8()}-01`
}

/** Encodes texts once, so that events copy their bytes. */
export function encoded(texts: readonly string[]): readonly Uint8Array[] {
  return texts.map((text) => Buffer.from(text))
}

/** Returns the item at an index, or no bytes when the list is shorter. */
export function pick(list: readonly Uint8Array[], at: number): Uint8Array {
  return list[at] ?? NOTHING
}

const NOTHING = new Uint8Array(0)
