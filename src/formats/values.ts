import type { DeadLetter } from '../core/batch.ts'
import { deadLetterOf } from '../core/dead-letter.ts'
import { messageOf } from '../core/errors.ts'
import { valueOf, type Raw } from '../core/raw.ts'
import type { Decoded, Format } from './format.ts'

/**
 * Returns a format that decodes one value at a time into an object of JSON-like values. An error thrown by `read`
 * becomes the message of a dead letter.
 */
export function valueFormat(
  name: string,
  read: (value: Uint8Array) => object,
  prepare?: Format['prepare'],
): Format {
  return {
    name,
    ...(prepare === undefined ? {} : { prepare }),
    decode: (raw) => decodeValues(raw, read),
  }
}

/** Decodes each value of a batch with `read`, as `valueFormat` does. */
export function decodeValues(raw: Raw, read: (value: Uint8Array) => object): Decoded {
  const objects: object[] = []
  const records: number[] = []
  const deadLetters: DeadLetter[] = []
  let tombstones = 0
  for (let i = 0; i < raw.count; i++) {
    const value = valueOf(raw, i)
    if (value === undefined) {
      tombstones++
      continue
    }
    try {
      objects.push(read(value))
      records.push(i)
    } catch (thrown) {
      deadLetters.push(deadLetterOf(raw, i, 'decode', messageOf(thrown)))
    }
  }
  return { raw, validated: undefined, objects, records, deadLetters, tombstones }
}
