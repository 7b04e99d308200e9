import type { KeyObject } from 'node:crypto'
import {
  functionCallsOf,
  literalTextOf,
  type ExpressionNode,
  type FunctionCall,
  type KafkaMetadataField,
} from '../../config/transforms/expression.ts'
import {
  EXPRESSION_FUNCTIONS,
  type ArgumentKind,
  type FunctionSignature,
} from '../../config/transforms/expression-functions.ts'
import { messageOf } from '../core/errors.ts'
import { jmespathTypeOf } from '../jmespath/built-in.ts'
import type { FunctionTable } from '../jmespath/function-table.ts'
import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { isNumber } from '../jmespath/numbers.ts'
import { dateParserFor } from './date-pattern.ts'
import { uuidNamespaceOf, createPrivacyFunctions } from './functions-privacy.ts'
import { compilePattern, scalarToText, JMESPATH_TEXT_FUNCTIONS } from './functions-text.ts'
import { JMESPATH_TIME_FUNCTIONS } from './functions-time.ts'
import { headerTextOf, readKafkaSource, type MessageRecord } from './record.ts'

/** Maps the keys of one small reference file to its rows, each an object of columns or a single value. */
export type Lookup = ReadonlyMap<string, unknown>

/** Holds the data that functions use besides their arguments. */
export interface FunctionContext {
  readonly lookups: ReadonlyMap<string, Lookup>
  /** Keys of `hmac_sha256`. */
  readonly hashKeys: ReadonlyMap<string, KeyObject>
}

/**
 * Returns the functions that are added to JMESPath. Each checks its arguments against its signature, and receives the
 * record of the message.
 */
export function createFunctionTable(context: FunctionContext): FunctionTable<MessageRecord> {
  const { lookups } = context
  const all: Readonly<Record<string, ExpressionFunction<MessageRecord>>> = {
    ...JMESPATH_TEXT_FUNCTIONS,
    ...JMESPATH_TIME_FUNCTIONS,
    ...createPrivacyFunctions(context.hashKeys),
    lookup: ([alias, key, column]) => lookUp(lookups.get(alias as string), key, column),
    // The name of the source is checked when the expression is parsed.
    kafka: ([name], record) => readKafkaSource({ kind: name } as KafkaMetadataField, record),
    kafka_header: ([name], { raw, record }) => headerTextOf(raw, record, name as string),
  }
  return new Map(
    Object.entries(EXPRESSION_FUNCTIONS).map(([name, signature]) => {
      const run = all[name]
      if (run === undefined) throw new Error(`Broken invariant: no function ${name}`)
      return [name, withArgumentChecks(name, signature, run)]
    }),
  )
}

/**
 * Returns the first fault in the literal arguments of an expression's calls: patterns, time zones, names of lookups
 * and hash keys. Returns `undefined` when there is none.
 */
export function literalArgumentFault(node: ExpressionNode, context: FunctionContext): string | undefined {
  for (const call of functionCallsOf(node)) {
    try {
      checkLiterals(call, context)
    } catch (error) {
      return `${call.name}(): ${messageOf(error)}`
    }
  }
  return undefined
}

function checkLiterals({ name, args }: FunctionCall, { lookups, hashKeys }: FunctionContext): void {
  const text = (at: number): string => literalTextOf(args[at]) ?? ''
  switch (name) {
    case 'regex_extract':
    case 'regex_matches':
      compilePattern(text(1))
      break
    case 'parse_date':
      dateParserFor(text(1), args.length > 2 ? text(2) : 'UTC')
      break
    case 'uuid_v5':
      uuidNamespaceOf(text(1))
      break
    case 'lookup':
      requireName('lookups', lookups, text(0))
      break
    case 'hmac_sha256':
      requireName('hashKeys', hashKeys, text(1))
      break
  }
}

function requireName(option: string, names: ReadonlyMap<string, unknown>, name: string): void {
  if (names.has(name)) return
  const all = names.size === 0 ? 'none' : [...names.keys()].join(', ')
  throw new Error(`${option} has no ${JSON.stringify(name)}; defined: ${all}`)
}

function lookUp(rows: Lookup | undefined, key: unknown, column: unknown): unknown {
  if (key === null || key === undefined) return null
  const row = rows?.get(scalarToText(key))
  if (row === undefined) return null
  if (column === undefined) return row
  if (typeof row !== 'object' || row === null) return null
  return Object.hasOwn(row, column as string) ? (row as Record<string, unknown>)[column as string] : null
}

function withArgumentChecks(
  name: string,
  signature: FunctionSignature,
  run: ExpressionFunction<MessageRecord>,
): ExpressionFunction<MessageRecord> {
  const { parameters, propagatesNull } = signature
  const nullable = name === 'lookup'
  return (args, record) => {
    if (propagatesNull === true && (args[0] === null || args[0] === undefined)) return null
    if (name === 'concat' && args.includes(null)) return null
    for (let at = 0; at < args.length; at++) {
      const kind = parameters[Math.min(at, parameters.length - 1)] as ArgumentKind
      if (!isOf(kind, args[at]) && !(nullable && args[at] === null))
        throw new Error(
          `${name}() expected ${KIND_TEXTS[kind]} as argument ${at + 1}, got ${jmespathTypeOf(args[at])}`,
        )
    }
    return run(args, record)
  }
}

const KIND_TEXTS: Readonly<Record<ArgumentKind, string>> = {
  text: 'text',
  number: 'a number',
  scalar: 'text, a number or a boolean',
  value: 'a value',
}

function isOf(kind: ArgumentKind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return isNumber(value)
    case 'scalar':
      return typeof value === 'string' || typeof value === 'boolean' || isNumber(value)
    case 'value':
      return true
  }
}
