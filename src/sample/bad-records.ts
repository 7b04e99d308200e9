/** A way in which a record can be bad. */
export type BadKind = (typeof BAD_KINDS)[number]

/** All ways, in the order in which `eventsOf` goes through them. */
export const BAD_KINDS = [
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

/** Names of fields of an event, one for each way to spoil it. */
export interface Spots {
  /** Holds a whole number. */
  readonly integer: string
  /** Required, and holds text. */
  readonly required: string
  /** Holds one of a list of words. */
  readonly word: string
  /** Holds a time in ISO 8601. */
  readonly time: string
  /** Holds text that is not empty. */
  readonly text: string
  /** The last field of the event. */
  readonly last: string
}

const DEPTH = 1_000

/** The JSON text of a good event, made bad in the way asked for. */
export function spoil(json: string, kind: BadKind, spots: Spots): Buffer {
  switch (kind) {
    case 'not-json':
      return Buffer.from(json.slice(0, json.length / 2))
    case 'wrong-type':
      return Buffer.from(json.replace(integerAt(spots), `"${spots.integer}":"unknown"`))
    case 'missing-required':
      return Buffer.from(json.replace(new RegExp(`"${spots.required}":"[^"]*",`), ''))
    case 'invalid-utf8':
      return invalidUtf8(json, `"${spots.text}":"`)
    case 'out-of-range':
      return Buffer.from(json.replace(integerAt(spots), `"${spots.integer}":9223372036854775808`))
    case 'empty-value':
      return Buffer.alloc(0)
    case 'impossible-date':
      return Buffer.from(
        json.replace(new RegExp(`"${spots.time}":"\\d{4}-\\d\\d-\\d\\d`), `"${spots.time}":"2026-02-30`),
      )
    case 'unknown-enum':
      return Buffer.from(json.replace(new RegExp(`"${spots.word}":"[^"]*"`), `"${spots.word}":"teleport"`))
    case 'not-an-object':
      return Buffer.from(`[${json}]`)
    case 'too-deep':
      return Buffer.from(
        json.replace(`"${spots.last}":`, `"${spots.last}":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},"more":`),
      )
  }
}

function integerAt({ integer }: Spots): RegExp {
  return new RegExp(`"${integer}":\\d+`)
}

function invalidUtf8(json: string, before: string): Buffer {
  const bytes = Buffer.from(json)
  // The first letter of the text becomes a byte that no UTF-8 text holds.
  bytes[bytes.indexOf(before) + before.length] = 0xff
  return bytes
}
