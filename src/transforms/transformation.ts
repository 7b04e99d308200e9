import type { DataType } from '../core/schema.ts'
import { messageOf } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import { isTruthy, type Expression } from '../jmespath/expression.ts'
import { isoOf } from './iso.ts'
import type { RecordPlace } from './record.ts'
import { renamed, withResults, without, type Places } from './reshape.ts'

/** A rule of a topic: a message for which `when` is true becomes a dead letter that says `error`. */
export interface CompiledRule {
  readonly name: string
  readonly when: Expression
  readonly error: string
}

/** A field that a transform makes. */
export interface CompiledTransform {
  /** The destination as it was written. */
  readonly destination: string
  readonly path: readonly string[]
  /** The expression or source as it was written. */
  readonly text: string
  evaluate(message: unknown): unknown
  /** The column of a new table; `undefined` where only values can tell. */
  readonly type: DataType | undefined
  /** Whether `type` was written. */
  readonly isExplicit: boolean
}

/** One field that goes elsewhere. */
export interface CompiledRename {
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly places: Places
}

/** All that becomes of a topic's messages, in this order; compiled once. */
export interface TransformationParts {
  readonly place: RecordPlace
  readonly rules: readonly CompiledRule[]
  readonly filter: Expression | undefined
  readonly transforms: readonly CompiledTransform[]
  readonly places: Places
  readonly drop: readonly (readonly string[])[]
  readonly rename: readonly CompiledRename[]
  /** Whether a transform that comes to null leaves what stands at its place; by default null takes the place. */
  readonly keepsOnNull?: boolean
}

/** Why a message becomes no row. */
export class Refusal {
  readonly reason: 'rule' | 'transform'
  readonly message: string

  constructor(reason: Refusal['reason'], message: string) {
    this.reason = reason
    this.message = message
  }
}

/** What becomes of a message that the filter does not keep. */
export const FILTERED = Symbol('filtered')

/**
 * Rules, filter, transforms, drop and rename of one topic. Every expression sees the message as it came, none the result
 * of another; only one message is worked on at a time.
 */
export class Transformation {
  readonly parts: TransformationParts

  constructor(parts: TransformationParts) {
    this.parts = parts
  }

  /**
   * The row to be of message `message`, record `record` of `raw`; the message itself is not changed. `instants` are the
   * transforms, by their numbers, whose columns are timestamps: integers there are microseconds since the epoch. Never throws.
   */
  apply(
    message: object,
    raw: Raw,
    record: number,
    instants?: readonly boolean[],
  ): object | Refusal | typeof FILTERED {
    const { place, rules, filter, transforms, places, drop, rename, keepsOnNull } = this.parts
    place.raw = raw
    place.record = record
    for (const rule of rules) {
      const refusal = broken(rule, message)
      if (refusal !== undefined) return refusal
    }
    if (filter !== undefined) {
      try {
        if (!isTruthy(filter.evaluate(message))) return FILTERED
      } catch (error) {
        return new Refusal('transform', `filter (${filter.text}): ${messageOf(error)}`)
      }
    }
    const results: unknown[] = []
    for (const transform of transforms) {
      try {
        const found = transform.evaluate(message)
        const result = keepsOnNull === true && found === null ? undefined : found
        results.push(instants?.[results.length] === true ? instantOf(result) : result)
      } catch (error) {
        return new Refusal('transform', `${transform.destination} (${transform.text}): ${messageOf(error)}`)
      }
    }
    let row = transforms.length === 0 ? message : withResults(message, places, results)
    for (const path of drop) row = without(row, path)
    for (const { from, places: to } of rename) row = renamed(row, from, to)
    return row
  }
}

function broken({ name, when, error }: CompiledRule, message: object): Refusal | undefined {
  try {
    return isTruthy(when.evaluate(message)) ? new Refusal('rule', `${name}: ${error}`) : undefined
  } catch (thrown) {
    return new Refusal('rule', `${name} could not be evaluated (${when.text}): ${messageOf(thrown)}`)
  }
}

const MICROS_MAX = 253_402_300_799_999_999n
const MICROS_MIN = -62_167_219_200_000_000n

function instantOf(value: unknown): unknown {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return value
  const micros = BigInt(value as number | bigint)
  return micros < MICROS_MIN || micros > MICROS_MAX ? value : isoOf(micros)
}
