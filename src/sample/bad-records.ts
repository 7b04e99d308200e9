/** Names one kind of bad record. */
export type BadRecordKind = (typeof BAD_RECORD_KINDS)[number]

/** Lists all kinds, in the order in which `generateEvents` goes through them. */
export const BAD_RECORD_KINDS = [
  'not-json',
  'wrong-type',
  'missing-required',
  'invalid-utf8',
  'out-of-range',
  'empty-value',
  'impossible-date',
  'unknown-enum',
  'not-an-object',
  'too-deep',
] as const

/** Names the fields of an event that the kinds of bad records corrupt. */
export interface CorruptibleFields {
  /** Holds an integer. */
  readonly integer: string
  /** Required, and holds text. */
  readonly required: string
  /** Holds one of a list of words. */
  readonly word: string
  /** Holds an ISO 8601 timestamp. */
  readonly time: string
  /** Holds text that is not empty. */
  readonly text: string
  /** The last field of the event. */
  readonly last: string
}

const DEPTH = 1_000

/** Returns the JSON of a valid event, corrupted in the given way. */
export function corruptEvent(json: string, kind: BadRecordKind, fields: CorruptibleFields): Buffer {
  switch (kind) {
    case 'not-json':
      return Buffer.from(json.slice(0, json.length / 2))
    case 'wrong-type':
      return Buffer.from(json.replace(integerAt(fields), `"${fields.integer}":"unknown"`))
    case 'missing-required':
      return Buffer.from(json.replace(new RegExp(`"${fields.required}":"[^"]*",`), ''))
    case 'invalid-utf8':
      return invalidUtf8(json, `"${fields.text}":"`)
    case 'out-of-range':
      return Buffer.from(json.replace(integerAt(fields), `"${fields.integer}":9223372036854775808`))
    case 'empty-value':
      return Buffer.alloc(0)
    case 'impossible-date':
      return Buffer.from(
        json.replace(new RegExp(`"${fields.time}":"\\d{4}-\\d\\d-\\d\\d`), `"${fields.time}":"2026-02-30`),
      )
    case 'unknown-enum':
      return Buffer.from(json.replace(new RegExp(`"${fields.word}":"[^"]*"`), `"${fields.word}":"teleport"`))
    case 'not-an-object':
      return Buffer.from(`[${json}]`)
    case 'too-deep':
      return Buffer.from(
        json.replace(
          `"${fields.last}":`,
          `"${fields.last}":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},"more":`,
        ),
      )
  }
}

function integerAt({ integer }: CorruptibleFields): RegExp {
  return new RegExp(`"${integer}":\\d+`)
}

function invalidUtf8(json: string, before: string): Buffer {
  const bytes = Buffer.from(json)
  // The first letter becomes a byte that never occurs in UTF-8.
  bytes[bytes.indexOf(before) + before.length] = 0xff
  return bytes
}
