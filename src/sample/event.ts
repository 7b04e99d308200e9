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

/** Describes how events of one kind are made. */
interface SampleKind {
  /**
   * Returns the JSON of an event from its id, its time in milliseconds since the epoch and two random 32-bit numbers.
   */
  readonly toJson: (id: string, atMs: number, first: number, second: number) => string
  /** The fields that bad records corrupt. */
  readonly corruptibleFields: CorruptibleFields
}

/** Greatest random delay that is added to the time of an event, in milliseconds. */
export const TIMESTAMP_JITTER_MS = 60_000

const DAY_MS = 86_400_000
const HEX4 = Array.from({ length: 65_536 }, (_, number) => number.toString(16).padStart(4, '0'))
const PAD2 = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
const PAD3 = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))
const lastDay = { day: NaN, text: '' }

/** Generates events of one kind, in the order of their number. Deterministic. */
export function* generateEvents(kind: SampleKind, options: SampleOptions): Generator<SampleEvent> {
  const { seed, count = Infinity, badEvery = 0, traceparentEvery = 0 } = options
  const random = seededRandom(seed)
  const { startMs = Date.UTC(2026, 2, 1), stepMs = 1_296, days = 3 } = options
  const frame = options.schemaId === undefined ? undefined : registryHeaderOf(options.schemaId)
  let badCount = 0
  for (let number = 0; number < count; number++) {
    const id = eventId(random(), random(), number)
    const atMs = startMs + ((number * stepMs + (random() % TIMESTAMP_JITTER_MS)) % (days * DAY_MS))
    const json = kind.toJson(id, atMs, random(), random())
    const headers =
      traceparentEvery > 0 && number % traceparentEvery === 0
        ? { traceparent: traceparent(random) }
        : undefined
    const bad =
      badEvery > 0 && number % badEvery === badEvery - 1
        ? BAD_RECORD_KINDS[badCount++ % BAD_RECORD_KINDS.length]
        : undefined
    const value = bad === undefined ? Buffer.from(json) : corruptEvent(json, bad, kind.corruptibleFields)
    yield {
      key: bad === undefined ? id : `bad-${bad}-${id}`,
      value: frame === undefined || value.length === 0 ? value : Buffer.concat([frame, value]),
      ...(headers === undefined ? {} : { headers }),
      ...(bad === undefined ? {} : { bad }),
    }
  }
}

/** Returns a zero byte and the id in 32 bits, as Confluent's serializers write them. */
function registryHeaderOf(schemaId: number): Buffer {
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(schemaId, 1)
  return frame
}

/** Returns an id in the form of a UUID. Its last twelve digits are the number of the event, which makes it unique. */
function eventId(high: number, low: number, number: number): string {
  const tail = hex(Math.floor(number / 0x1_0000_0000)) + hex(number >>> 16) + hex(number)
  return `${hex(high >>> 16)}${hex(high)}-${hex(low)}-4${hex(low >>> 16).slice(1)}-8${hex(high >>> 8).slice(1)}-${tail}`
}

/**
 * Returns the same text as `Date.toISOString`, but caches the text of the day: `toISOString` halves the rate of the
 * generator (230,000 instead of 480,000 events a second).
 */
export function formatIsoTimestamp(atMs: number): string {
  const ms = Math.floor(atMs) - Math.floor(atMs / DAY_MS) * DAY_MS
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = pick(PAD2, Math.floor(minutes / 60))
  return `${formatIsoDate(atMs)}T${hours}:${pick(PAD2, minutes % 60)}:${pick(PAD2, seconds % 60)}.${pick(PAD3, ms % 1000)}Z`
}

/** Returns the UTC date, such as `2026-03-01`. */
export function formatIsoDate(atMs: number): string {
  const day = Math.floor(atMs / DAY_MS)
  if (day !== lastDay.day) {
    lastDay.day = day
    lastDay.text = new Date(day * DAY_MS).toISOString().slice(0, 10)
  }
  return lastDay.text
}

/** W3C Trace Context, sampled. */
function traceparent(random: () => number): string {
  const hex8 = (): string => {
    const bits = random()
    return hex(bits >>> 16) + hex(bits)
  }
  return `00-${hex8()}${hex8()}${hex8()}${hex8()}-${hex8()}${hex8()}-01`
}

function hex(bits: number): string {
  return pick(HEX4, bits & 0xffff)
}

/** Returns the item at an index, or an empty text when the list is shorter. */
export function pick(list: readonly string[], at: number): string {
  return list[at] ?? ''
}
