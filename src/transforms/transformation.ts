import type { DataType } from '../core/schema.ts'
import { messageOf } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import { isTruthy, type Expression } from '../jmespath/expression.ts'
import { toIsoText } from './iso.ts'
import type { MessageRecord } from './record.ts'
import { renameField, withResults, withoutField, type DestinationTree } from './reshape.ts'

/** Describes a compiled rule: a message for which `when` is true becomes a dead letter with the text `error`. */
interface CompiledRule {
  readonly name: string
  readonly when: Expression<MessageRecord>
  readonly error: string
}

/** Describes a field that a transform sets. */
export interface CompiledTransform {
  /** The destination as written in the options. */
  readonly destination: string
  readonly path: readonly string[]
  /** The expression or source as written in the options. */
  readonly text: string
  /** Returns the value for the message of a record. Throws when the expression cannot be evaluated. */
  evaluate(message: unknown, record: MessageRecord): unknown
  /** The column type in a new table, or `undefined` when it depends on the values. */
  readonly type: DataType | undefined
  /** True when `type` is written in the options. */
  readonly isExplicit: boolean
}

/** Describes one field that is moved. */
export interface CompiledRename {
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly destination: DestinationTree
}

/** Holds the compiled steps applied to the messages of a topic, in order of application. */
interface TransformationSteps {
  readonly rules: readonly CompiledRule[]
  readonly filter: Expression<MessageRecord> | undefined
  readonly transforms: readonly CompiledTransform[]
  readonly destinations: DestinationTree
  readonly drop: readonly (readonly string[])[]
  readonly rename: readonly CompiledRename[]
  /** True when a transform that returns null keeps the existing value. By default null replaces it. */
  readonly keepsOnNull?: boolean
}

/** Describes why a message becomes a dead letter. */
export class RejectedMessage {
  readonly reason: 'rule' | 'transform'
  readonly message: string

  constructor(reason: RejectedMessage['reason'], message: string) {
    this.reason = reason
    this.message = message
  }
}

/** The result for a message that the filter drops. */
export const FILTERED = Symbol('filtered')

/**
 * Applies the rules, filter, transforms, drop and rename of one topic. Every expression sees the original message,
 * never the result of another expression. It has no state: several streams can share it.
 */
export class Transformation {
  readonly steps: TransformationSteps

  constructor(steps: TransformationSteps) {
    this.steps = steps
  }

  /**
   * Returns the row for a message, which is record `record` of `raw`. The message itself is not modified. `instants`
   * states for each transform, by its index, whether its column is a timestamp: integers are microseconds since the
   * epoch there. Never throws.
   */
  apply(
    message: object,
    raw: Raw,
    record: number,
    instants?: readonly boolean[],
  ): object | RejectedMessage | typeof FILTERED {
    const { rules, filter, transforms, destinations, drop, rename, keepsOnNull } = this.steps
    const source: MessageRecord = { raw, record }
    for (const rule of rules) {
      const refusal = checkRule(rule, message, source)
      if (refusal !== undefined) return refusal
    }
    if (filter !== undefined) {
      try {
        if (!isTruthy(filter.evaluate(message, source))) return FILTERED
      } catch (error) {
        return new RejectedMessage('transform', `filter (${filter.text}): ${messageOf(error)}`)
      }
    }
    const results: unknown[] = []
    for (const transform of transforms) {
      try {
        const found = transform.evaluate(message, source)
        const result = keepsOnNull === true && found === null ? undefined : found
        results.push(instants?.[results.length] === true ? instantOf(result) : result)
      } catch (error) {
        return new RejectedMessage(
          'transform',
          `${transform.destination} (${transform.text}): ${messageOf(error)}`,
        )
      }
    }
    let row = transforms.length === 0 ? message : withResults(message, destinations, results)
    for (const path of drop) row = withoutField(row, path)
    for (const { from, destination: to } of rename) row = renameField(row, from, to)
    return row
  }
}

function checkRule(
  { name, when, error }: CompiledRule,
  message: object,
  source: MessageRecord,
): RejectedMessage | undefined {
  try {
    return isTruthy(when.evaluate(message, source))
      ? new RejectedMessage('rule', `${name}: ${error}`)
      : undefined
  } catch (thrown) {
    return new RejectedMessage('rule', `${name} could not be evaluated (${when.text}): ${messageOf(thrown)}`)
  }
}

const MICROS_MAX = 253_402_300_799_999_999n
const MICROS_MIN = -62_167_219_200_000_000n

function instantOf(value: unknown): unknown {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return value
  const micros = BigInt(value as number | bigint)
  return micros < MICROS_MIN || micros > MICROS_MAX ? value : toIsoText(micros)
}
