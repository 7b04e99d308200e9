import { originOf, valueOf, type Raw } from '../../core/raw.ts'
import { RecordCollector } from './record-collector.ts'

/** Returns a batch with only these messages, their values adjacent; the batch itself when these are all. */
export function messagesOf(raw: Raw, messages: readonly number[]): Raw {
  if (messages.length === raw.count) return raw
  const collector = new RecordCollector(raw)
  const values = new ValueBuffer()
  for (const i of messages) collector.add(i, ...values.add(valueOf(raw, i)))
  const { parts, ...chosen } = collector.raw(values.bytes())
  const { message, framed } = originOf(raw)
  const of = (i: number): number => parts.messageIndex[i] as number
  if (raw.origin === undefined) return chosen
  return { ...chosen, origin: { message: (i) => message(of(i)), framed: (i, part) => framed(of(i), part) } }
}

/** Concatenates values, with a newline after each. */
export class ValueBuffer {
  readonly #values: Uint8Array[] = []
  #length = 0

  /** Returns the start and the end of the value; -1 twice for a missing value. */
  add(value: Uint8Array | undefined): [start: number, end: number] {
    if (value === undefined) return [-1, -1]
    const start = this.#length
    this.#values.push(value, NEWLINE)
    this.#length += value.length + 1
    return [start, start + value.length]
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#values, this.#length)
  }
}

const NEWLINE = Buffer.from('\n')
