import { mergeRows } from '../../arrow/rows.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import { Entries } from '../framing/entries.ts'
import type { Decoded, Format } from '../format.ts'
import { MARKS, type Mark, type Way } from './candidates.ts'

/** A way with the format that reads it. */
export interface OpenWay extends Way {
  readonly reader: Format
}

/**
 * Several formats, told apart value by value. A value with a mark is of the ways that have this mark, any other of those
 * that have none; they are tried in their order, and the first that can read it does. The records of each way are read
 * together, so that a fast format stays fast. What none can read is a dead letter that says what each of them said.
 */
export function toldApart(ways: readonly OpenWay[]): Format {
  const plans = plansOf(ways)
  const preparing = ways.flatMap(({ reader }) => (reader.prepare === undefined ? [] : [reader]))
  return {
    name: [...new Set(ways.map(({ format }) => format))].join(', '),
    decode: (raw) => new Telling(raw, ways).decoded(plans),
    ...(preparing.length === 0 ? {} : { prepare: (raw) => prepareAll(preparing, raw) }),
  }
}

/** The ways that a value may be of, in the order in which they are tried. */
type Plan = readonly OpenWay[]

interface Plans {
  readonly marked: readonly { readonly mark: Mark; readonly plan: Plan }[]
  readonly others: Plan
}

function plansOf(ways: readonly OpenWay[]): Plans {
  const marked = MARKS.map((mark) => ({ mark, plan: ways.filter((way) => way.mark === mark) }))
  return {
    marked: marked.filter(({ plan }) => plan.length > 0),
    others: ways.filter(({ mark }) => mark === undefined).sort((a, b) => a.rank - b.rank),
  }
}

function planOf(value: Uint8Array, { marked, others }: Plans): Plan {
  for (const { mark, plan } of marked) if (mark.is(value)) return plan
  return others
}

function prepareAll(readers: readonly Format[], raw: Raw): Promise<void> | undefined {
  const waits = readers.flatMap((reader) => reader.prepare?.(raw) ?? [])
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
}

/** Messages that were read together, and what became of them. */
interface Reading {
  readonly decoded: Decoded
  /** The message in the batch of each message that was read. */
  readonly messages: Int32Array
  /** For each of these where its records begin, and how many there are. */
  readonly starts: Int32Array
  readonly counts: Int32Array
}

/** Where the records of a message are. */
interface Place {
  readonly reading: Reading
  /** Within the reading. */
  readonly message: number
}

/** One batch while it is told apart. */
class Telling {
  readonly #raw: Raw
  readonly #ways: readonly OpenWay[]
  readonly #places: (Place | undefined)[]
  /** What was said of messages that could not be read, by every way that was tried. */
  readonly #said = new Map<number, string[]>()
  readonly #deadLetters: DeadLetter[] = []
  readonly #readings: Reading[] = []
  #tombstones = 0

  constructor(raw: Raw, ways: readonly OpenWay[]) {
    this.#raw = raw
    this.#ways = ways
    this.#places = new Array<Place | undefined>(raw.count).fill(undefined)
  }

  decoded(plans: Plans): Decoded {
    let pending = new Map<Plan, number[]>()
    for (let i = 0; i < this.#raw.count; i++) {
      const value = valueOf(this.#raw, i)
      if (value === undefined) this.#tombstones++
      else add(pending, planOf(value, plans), i)
    }
    for (let step = 0; pending.size > 0; step++) {
      const failed = new Map<Plan, number[]>()
      for (const [plan, messages] of pending) {
        const way = plan[step]
        if (way === undefined) for (const i of messages) this.#refuse(i, plan)
        else
          for (const i of this.#read(way, messages, plan.length === 1 && way.mark !== undefined))
            add(failed, plan, i)
      }
      pending = failed
    }
    return this.#joined()
  }

  /** Reads messages by one way; returns those of which not a single record could be read, unless it is the `only` way. */
  #read(way: OpenWay, messages: readonly number[], only: boolean): readonly number[] {
    const decoded = way.reader.decode(subset(this.#raw, messages))
    const reading = readingOf(decoded, messages)
    this.#readings.push(reading)
    const failed = only ? new Set<number>() : failedOf(reading)
    for (const [message, i] of reading.messages.entries())
      if (!failed.has(message)) this.#places[i] = { reading, message }
    if (failed.size === 0) {
      this.#deadLetters.push(...decoded.deadLetters)
      return []
    }
    const ofOffset = new Map(messages.map((i, message) => [this.#raw.offsets[i], message]))
    const told = new Set<number>()
    for (const letter of decoded.deadLetters) {
      const message = ofOffset.get(letter.offset) ?? -1
      if (!failed.has(message)) this.#deadLetters.push(letter)
      else if (!told.has(message)) {
        told.add(message)
        add(this.#said, messages[message] as number, `${nameOf(way)}: ${letter.message}`)
      }
    }
    return [...failed].map((message) => messages[message] as number)
  }

  #refuse(i: number, plan: Plan): void {
    const unmarked = this.#ways.flatMap((way) =>
      plan.includes(way) || way.mark === undefined ? [] : [`${nameOf(way)}: expected ${way.mark.expected}`],
    )
    const said = [...(this.#said.get(i) ?? []), ...unmarked].join('; ')
    this.#deadLetters.push(deadLetterOf(this.#raw, i, 'decode', `fits no format: ${said}`))
  }

  /** All readings as one, in the order of the messages. */
  #joined(): Decoded {
    const expands = this.#readings.some(({ decoded }) => decoded.raw.parts !== undefined)
    const joined = expands ? expandedBy(this.#raw, this.#places) : undefined
    const firstOf = (i: number): number => joined?.firsts[i] ?? i
    let proven: Decoded['proven']
    const objects: [record: number, object: unknown][] = []
    const nulls: number[] = []
    let tombstones = this.#tombstones
    let droppedFields = 0
    for (const reading of this.#readings) {
      const { decoded } = reading
      const recordOf = (record: number): number => {
        const message = decoded.raw.parts?.message[record] ?? record
        return firstOf(reading.messages[message] as number) + record - (reading.starts[message] as number)
      }
      if (decoded.proven !== undefined) {
        const rows = { columns: decoded.proven.columns, records: decoded.proven.records.map(recordOf) }
        proven = proven === undefined ? rows : mergeRows(proven, rows)
      }
      for (const [at, record] of decoded.records.entries())
        objects.push([recordOf(record), decoded.objects[at]])
      for (const record of decoded.nulls ?? []) nulls.push(recordOf(record))
      tombstones += decoded.tombstones
      droppedFields += decoded.droppedFields ?? 0
    }
    if (this.#readings.length > 1) objects.sort(([a], [b]) => a - b)
    return {
      raw: joined?.raw ?? this.#raw,
      proven,
      objects: objects.map(([, object]) => object),
      records: objects.map(([record]) => record),
      deadLetters: this.#deadLetters,
      tombstones,
      ...(nulls.length > 0 ? { nulls: nulls.sort((a, b) => a - b) } : {}),
      ...(droppedFields > 0 ? { droppedFields } : {}),
    }
  }
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

function nameOf({ format, framing }: Way): string {
  return framing === 'none' ? format : `${format} ${framing}`
}

function readingOf(decoded: Decoded, messages: readonly number[]): Reading {
  const { parts, count } = decoded.raw
  const starts = new Int32Array(messages.length)
  const counts = new Int32Array(messages.length)
  for (let record = count - 1; record >= 0; record--) {
    const message = parts?.message[record] ?? record
    starts[message] = record
    counts[message] = (counts[message] as number) + 1
  }
  return { decoded, messages: Int32Array.from(messages), starts, counts }
}

/** The messages of a reading that hold records, none of which could be read. */
function failedOf({ decoded, messages, counts }: Reading): Set<number> {
  const failed = new Set(messages.keys())
  const read = (record: number): boolean => failed.delete(decoded.raw.parts?.message[record] ?? record)
  decoded.proven?.records.forEach(read)
  decoded.records.forEach(read)
  decoded.nulls?.forEach(read)
  for (const [message, count] of counts.entries()) if (count === 0) failed.delete(message)
  return failed
}

/** These messages of the batch alone, their values side by side. */
function subset(raw: Raw, messages: readonly number[]): Raw {
  if (messages.length === raw.count) return raw
  const entries = new Entries(raw)
  const pieces = new Pieces()
  for (const i of messages) entries.add(i, ...pieces.add(valueOf(raw, i)))
  const { parts, ...chosen } = entries.raw(pieces.bytes())
  const { message, framed } = originOf(raw)
  const of = (i: number): number => parts.message[i] as number
  if (raw.origin === undefined) return chosen
  return { ...chosen, origin: { message: (i) => message(of(i)), framed: (i, part) => framed(of(i), part) } }
}

/** The batch with the records that were found in its messages, and the first record of each message. */
function expandedBy(
  raw: Raw,
  places: readonly (Place | undefined)[],
): { readonly raw: Raw; readonly firsts: Int32Array } {
  const entries = new Entries(raw)
  const pieces = new Pieces()
  const firsts = new Int32Array(raw.count)
  /** For each record the batch that it was read from, and which one of it it is. */
  const from: Raw[] = []
  const which: number[] = []
  for (const [i, place] of places.entries()) {
    firsts[i] = entries.count
    const source = place?.reading.decoded.raw ?? raw
    const start = place === undefined ? i : (place.reading.starts[place.message] as number)
    const count = place === undefined ? 1 : (place.reading.counts[place.message] as number)
    for (let record = start; record < start + count; record++) {
      entries.add(i, ...pieces.add(valueOf(source, record)))
      from.push(source)
      which.push(record)
    }
  }
  const origin = {
    message: (k: number) => originOf(from[k] ?? raw).message(which[k] as number),
    framed: (k: number, part: Uint8Array) => originOf(from[k] ?? raw).framed(which[k] as number, part),
  }
  return { raw: { ...entries.raw(pieces.bytes()), origin }, firsts }
}

/** Values one after another, with a newline behind each. */
class Pieces {
  readonly #pieces: Uint8Array[] = []
  #length = 0

  /** Where the value begins and ends; -1 twice for none. */
  add(value: Uint8Array | undefined): [start: number, end: number] {
    if (value === undefined) return [-1, -1]
    const start = this.#length
    this.#pieces.push(value, NEWLINE)
    this.#length += value.length + 1
    return [start, start + value.length]
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#length)
  }
}

const NEWLINE = Buffer.from('\n')
