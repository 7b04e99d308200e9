import { isUtf8 } from 'node:buffer'
import type { DataType } from '../core/schema.ts'
import type { Builder } from './column-builder.ts'
import { shown } from './column-builder.ts'
import type { Column } from './column.ts'
import { Validity, grown } from './validity.ts'

const encoder = new TextEncoder()
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Largest sum of bytes in one column of a batch: offsets are 32 bits wide. */
const BYTES_MAX = 0x7fff_ffff

/** Strings and binary. A string for a binary column is base64. */
export class BytesBuilder implements Builder {
  readonly kind = 'bytes'
  readonly type: DataType
  readonly #valid = new Validity()
  #offsets = new Int32Array(1024)
  #bytes = new Uint8Array(16_384)
  #end = 0

  constructor(type: DataType) {
    this.type = type
  }

  get length(): number {
    return this.#valid.length
  }

  append(value: unknown): string | undefined {
    if (value === null || value === undefined) {
      this.appendNull()
    } else if (value instanceof Uint8Array) {
      if (this.type !== 'binary' && !isUtf8(value)) return 'expected UTF-8, got bytes that are none'
      this.appendBytes(value, 0, value.length)
    } else if (typeof value !== 'string') {
      return `expected ${this.type === 'binary' ? 'base64 text' : 'a string'}, got ${shown(value)}`
    } else if (this.type === 'binary') {
      if (!BASE64.test(value)) return `expected base64 text, got ${shown(value)}`
      const bytes = Buffer.from(value, 'base64')
      this.appendBytes(bytes, 0, bytes.length)
    } else {
      this.#appendString(value)
    }
    return undefined
  }

  /** Appends `source[start..end)`; for strings the bytes must be valid UTF-8. */
  appendBytes(source: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#reserve(length)
    const target = this.#bytes
    let at = this.#end
    // Below some 32 bytes a plain loop beats the call of `set` on a fresh subarray (measured: 9 ns against 55 ns for 12 bytes).
    if (length < 32) for (let i = start; i < end; i++) target[at++] = source[i] as number
    else target.set(source.subarray(start, end), at)
    this.#end += length
    this.#ended(1)
  }

  appendNull(): void {
    this.#ended(0)
  }

  truncate(length: number): void {
    this.#valid.truncate(length)
    this.#end = this.#offsets[length] ?? 0
  }

  finish(): Column {
    const { length } = this
    const offsets = this.#offsets.slice(0, length + 1)
    const bytes = this.#bytes.slice(0, this.#end)
    this.#end = 0
    return { kind: 'bytes', type: this.type, length, offsets, bytes, valid: this.#valid.finish() }
  }

  #appendString(value: string): void {
    this.#reserve(value.length * 3)
    this.#end += encoder.encodeInto(value, this.#bytes.subarray(this.#end)).written
    this.#ended(1)
  }

  #reserve(length: number): void {
    if (this.#end + length > BYTES_MAX)
      throw new RangeError('One column of one batch holds more than 2 GiB of text')
    if (this.#end + length > this.#bytes.length) this.#bytes = grown(this.#bytes, this.#end + length)
  }

  #ended(valid: 0 | 1): void {
    this.#valid.push(valid)
    const { length } = this.#valid
    if (length >= this.#offsets.length) this.#offsets = grown(this.#offsets, length + 1)
    this.#offsets[length] = this.#end
  }
}
