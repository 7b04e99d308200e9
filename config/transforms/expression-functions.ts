/** What an argument must be: `text`, `number`, text or number or boolean (`scalar`), or any `value`. */
export type ArgumentKind = 'text' | 'number' | 'scalar' | 'value'

/** What a function gives, for the type of a new column; `any` where it depends on the message. */
export type ResultKind = 'text' | 'integer' | 'instant' | 'boolean' | 'same' | 'any'

/** How one of our functions is called. */
export interface FunctionSignature {
  readonly takes: readonly ArgumentKind[]
  /** Arguments that must be given; all of `takes` by default. */
  readonly least?: number
  /** The last kind of `takes` may be given any number of times. */
  readonly variadic?: true
  /** Places, counted from 0, of arguments that must be text written in the expression, such as a pattern. */
  readonly literal?: readonly number[]
  /** Null where its first argument is; a function without it refuses null. */
  readonly passesNull?: true
  readonly gives: ResultKind
}

/**
 * The functions that expressions have beside those of JMESPath. The first five are those of kafka-delta-ingest, nulls and
 * all. What they do stands in `docs/transforms.md`.
 */
export const FUNCTIONS = {
  substr: { takes: ['text', 'number', 'number'], gives: 'text' },
  epoch_seconds_to_iso8601: { takes: ['number'], gives: 'instant' },
  epoch_millis_to_iso8601: { takes: ['number'], gives: 'instant' },
  epoch_micros_to_iso8601: { takes: ['number'], gives: 'instant' },
  epoch_millis_to_micro: { takes: ['number'], gives: 'integer' },

  concat: { takes: ['scalar'], variadic: true, gives: 'text' },
  default: { takes: ['value', 'value'], gives: 'same' },
  to_json: { takes: ['value'], gives: 'text' },
  parse_json: { takes: ['text'], passesNull: true, gives: 'any' },
  parse_date: {
    takes: ['text', 'text', 'text'],
    least: 2,
    literal: [1, 2],
    passesNull: true,
    gives: 'instant',
  },
  regex_extract: {
    takes: ['text', 'text', 'scalar'],
    least: 2,
    literal: [1],
    passesNull: true,
    gives: 'text',
  },
  regex_matches: { takes: ['text', 'text'], literal: [1], passesNull: true, gives: 'boolean' },
  lookup: { takes: ['text', 'scalar', 'text'], least: 2, literal: [0], gives: 'any' },

  sha256: { takes: ['scalar', 'text'], least: 1, passesNull: true, gives: 'text' },
  sha512: { takes: ['scalar', 'text'], least: 1, passesNull: true, gives: 'text' },
  md5: { takes: ['scalar', 'text'], least: 1, passesNull: true, gives: 'text' },
  hmac_sha256: { takes: ['scalar', 'text'], literal: [1], passesNull: true, gives: 'text' },
  uuid_v5: { takes: ['scalar', 'text'], literal: [1], passesNull: true, gives: 'text' },
  mask: { takes: ['scalar', 'number'], least: 1, passesNull: true, gives: 'text' },
  mask_email: { takes: ['text'], passesNull: true, gives: 'text' },

  kafka: { takes: ['text'], literal: [0], gives: 'any' },
  kafka_header: { takes: ['text'], gives: 'text' },
} as const satisfies Readonly<Record<string, FunctionSignature>>

/** The name of one of our functions. */
export type FunctionName = keyof typeof FUNCTIONS

/** The signature of one of our functions; `undefined` for any other name. */
export function signatureOf(name: string): FunctionSignature | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name as FunctionName] : undefined
}
