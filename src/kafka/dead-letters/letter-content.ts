import type { DeadLetter } from '../../core/batch.ts'
import { headerValuesOf, type Headers } from '../../core/raw.ts'

/** Holds the parts of a Kafka record that a replay needs, untruncated. */
export type LetterContent = Pick<DeadLetter, 'key' | 'value' | 'headers'>

/**
 * Serialises key, value and headers of a record as a list of byte arrays to concatenate. The first is the length of the
 * second, which is JSON with the lengths of the others; null for null.
 */
export function encodeContent({ key, value, headers }: LetterContent): readonly Uint8Array[] {
  const values = Object.keys(headers ?? {}).flatMap((name) =>
    headerValuesOf(headers, name).map((bytes) => ({ name, bytes })),
  )
  const index = Buffer.from(
    JSON.stringify({
      key: key?.length ?? null,
      value: value?.length ?? null,
      headers: headers === undefined ? null : values.map(({ name, bytes }) => [name, bytes?.length ?? null]),
    }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32BE(index.length)
  const none = new Uint8Array(0)
  return [length, index, key ?? none, ...values.map(({ bytes }) => bytes ?? none), value ?? none]
}

/** Parses what `encodeContent` serialised; returns `undefined` when the bytes are something else. Values share `bytes`. */
export function decodeContent(bytes: Buffer): LetterContent | undefined {
  try {
    let at = 4 + bytes.readUInt32BE(0)
    const index = JSON.parse(bytes.toString('utf8', 4, at)) as {
      readonly key: number | null
      readonly value: number | null
      readonly headers: readonly (readonly [string, number | null])[] | null
    }
    const take = (length: number | null): Uint8Array | null => {
      if (length === null) return null
      if (!(length >= 0 && at + length <= bytes.length)) throw new RangeError()
      at += length
      return bytes.subarray(at - length, at)
    }
    const key = take(index.key) ?? undefined
    const headers = index.headers?.map(([name, length]) => [name, take(length)] as const)
    const value = take(index.value) ?? undefined
    return { key, value, headers: headers && byName(headers) }
  } catch {
    return undefined
  }
}

function byName(headers: readonly (readonly [string, Uint8Array | null])[]): Headers {
  const values = new Map<string, (Uint8Array | null)[]>()
  for (const [name, value] of headers) {
    const before = values.get(name)
    if (before === undefined) values.set(name, [value])
    else before.push(value)
  }
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.length === 1 ? (all[0] as Uint8Array | null) : all]),
  )
}
