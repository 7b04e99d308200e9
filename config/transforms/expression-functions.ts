/** Names what an argument must be: text, a number, a scalar (text, number or boolean), or any value. */
export type ArgumentKind = 'text' | 'number' | 'scalar' | 'value'

/** Names what a function returns, for the type of a new column; `any` if it depends on the message. */
type ResultKind = 'text' | 'integer' | 'instant' | 'boolean' | 'same' | 'any'

/** Describes the signature of one of our functions. */
export interface FunctionSignature {
  readonly parameters: readonly ArgumentKind[]
  /** Minimum number of arguments; all parameters are required by default. */
  readonly argumentsMin?: number
  /** The last parameter may be repeated. */
  readonly variadic?: true
  /** Positions, from 0, of arguments that must be text literals in the expression, such as a pattern. */
  readonly literalParameters?: readonly number[]
  /** Returns null if the first argument is null; other functions reject null. */
  readonly propagatesNull?: true
  readonly returns: ResultKind
}

/**
 * Declares the functions that expressions have in addition to those of JMESPath. The first five are those of
 * kafka-delta-ingest, including their handling of null. `docs/transforms.md` describes what they do.
 */
export const EXPRESSION_FUNCTIONS = {
  substr: { parameters: ['text', 'number', 'number'], returns: 'text' },
  epoch_seconds_to_iso8601: { parameters: ['number'], returns: 'instant' },
  epoch_millis_to_iso8601: { parameters: ['number'], returns: 'instant' },
  epoch_micros_to_iso8601: { parameters: ['number'], returns: 'instant' },
  epoch_millis_to_micro: { parameters: ['number'], returns: 'integer' },

  concat: { parameters: ['scalar'], variadic: true, returns: 'text' },
  default: { parameters: ['value', 'value'], returns: 'same' },
  to_json: { parameters: ['value'], returns: 'text' },
  parse_json: { parameters: ['text'], propagatesNull: true, returns: 'any' },
  parse_date: {
    parameters: ['text', 'text', 'text'],
    argumentsMin: 2,
    literalParameters: [1, 2],
    propagatesNull: true,
    returns: 'instant',
  },
  regex_extract: {
    parameters: ['text', 'text', 'scalar'],
    argumentsMin: 2,
    literalParameters: [1],
    propagatesNull: true,
    returns: 'text',
  },
  regex_matches: {
    parameters: ['text', 'text'],
    literalParameters: [1],
    propagatesNull: true,
    returns: 'boolean',
  },
  lookup: { parameters: ['text', 'scalar', 'text'], argumentsMin: 2, literalParameters: [0], returns: 'any' },

  sha256: { parameters: ['scalar', 'text'], argumentsMin: 1, propagatesNull: true, returns: 'text' },
  sha512: { parameters: ['scalar', 'text'], argumentsMin: 1, propagatesNull: true, returns: 'text' },
  md5: { parameters: ['scalar', 'text'], argumentsMin: 1, propagatesNull: true, returns: 'text' },
  hmac_sha256: {
    parameters: ['scalar', 'text'],
    literalParameters: [1],
    propagatesNull: true,
    returns: 'text',
  },
  uuid_v5: { parameters: ['scalar', 'text'], literalParameters: [1], propagatesNull: true, returns: 'text' },
  mask: { parameters: ['scalar', 'number'], argumentsMin: 1, propagatesNull: true, returns: 'text' },
  mask_email: { parameters: ['text'], propagatesNull: true, returns: 'text' },

  kafka: { parameters: ['text'], literalParameters: [0], returns: 'any' },
  kafka_header: { parameters: ['text'], returns: 'text' },
} as const satisfies Readonly<Record<string, FunctionSignature>>

/** Names one of our functions. */
type FunctionName = keyof typeof EXPRESSION_FUNCTIONS

/** Returns the signature of one of our functions, or `undefined` for any other name. */
export function signatureOf(name: string): FunctionSignature | undefined {
  return Object.hasOwn(EXPRESSION_FUNCTIONS, name) ? EXPRESSION_FUNCTIONS[name as FunctionName] : undefined
}
