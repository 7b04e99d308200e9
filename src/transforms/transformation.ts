import type { ExpressionNode, KafkaMetadataField } from '../../config/transforms/expression.ts'
import type { DataType } from '../core/schema.ts'
import { messageOf } from '../core/errors.ts'
import { narrowFraction } from '../core/exact.ts'
import type { Raw } from '../core/raw.ts'
import { isTruthy, type Expression } from '../jmespath/expression.ts'
import { toIsoText } from './iso.ts'
import { PathMatches, type WatchedPath } from './path-matches.ts'
import type { MessageRecord } from './record.ts'
import { renameField, withResults, withoutField, type DestinationTree } from './reshape.ts'

/** Describes a compiled rule: a message for which `when` is true becomes a dead letter with the text `error`. */
export interface CompiledRule {
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
  /** The expression, or the Kafka source, that `evaluate` evaluates. */
  readonly source: ExpressionNode | KafkaMetadataField
  /** Returns the value for the message of a record. Throws when the expression cannot be evaluated. */
  evaluate(message: unknown, record: MessageRecord): unknown
  /** The column type in a new table, or `undefined` when it depends on the values. */
  readonly type: DataType | undefined
  /** True when `type` is written in the options. */
  readonly isExplicit: boolean
}

/** Returns the result of a function of expressions. Throws when it refuses its arguments. */
export type CallFunction = (name: string, args: readonly unknown[], record: MessageRecord) => unknown

/** Describes one field that is removed. */
export interface CompiledDrop {
  /** The path as written in the options. */
  readonly text: string
  readonly path: readonly string[]
}

/** Describes one field that is moved. */
export interface CompiledRename {
  /** The old path as written in the options. */
  readonly text: string
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly destination: DestinationTree
}

/** Holds the compiled steps applied to the messages of a topic, in order of application. */
export interface TransformationSteps {
  readonly rules: readonly CompiledRule[]
  readonly filter: Expression<MessageRecord> | undefined
  readonly transforms: readonly CompiledTransform[]
  readonly destinations: DestinationTree
  readonly drop: readonly CompiledDrop[]
  readonly rename: readonly CompiledRename[]
  /** True when a transform that returns null keeps the existing value. By default null replaces it. */
  readonly keepsOnNull?: boolean
  /** Calls a function that the expressions may call; absent for steps without expressions. */
  readonly call?: CallFunction
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
 * never the result of another expression. Its only state is which paths have matched fields: several streams can share
 * it.
 */
export class Transformation {
  readonly steps: TransformationSteps
  /** Reports paths that match no field. */
  readonly paths: PathMatches

  constructor(steps: TransformationSteps) {
    this.steps = steps
    this.paths = new PathMatches(watchedPathsOf(steps))
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
    this.paths.start(message)
    let watched = 0
    for (const { path } of drop) row = this.#noted(watched++, row, withoutField(row, path))
    for (const { from, destination: to } of rename)
      row = this.#noted(watched++, row, renameField(row, from, to))
    return row
  }

  /** Returns the row `after` a step; the step has matched no field when the row is still the same. */
  #noted(watched: number, before: object, after: object): object {
    if (after === before) this.paths.missed(watched, before)
    else this.paths.matched(watched)
    return after
  }
}

/** Returns the paths in the order in which they are applied, followed by the destinations of transforms. */
function watchedPathsOf({ transforms, drop, rename }: TransformationSteps): readonly WatchedPath[] {
  return [
    ...drop.map(({ text, path }): WatchedPath => ({ option: 'drop', text, names: path })),
    ...rename.map(({ text, from }): WatchedPath => ({ option: 'rename', text, names: from })),
    ...transforms.map(({ destination, path }): WatchedPath => ({
      option: 'transforms',
      text: destination,
      names: path,
    })),
  ]
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

function instantOf(result: unknown): unknown {
  const value = narrowFraction(result)
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return value
  const micros = BigInt(value as number | bigint)
  return micros < MICROS_MIN || micros > MICROS_MAX ? value : toIsoText(micros)
}
