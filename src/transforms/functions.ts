import type { KeyObject } from 'node:crypto'
import {
  callsIn,
  literalText,
  type ExpressionNode,
  type FunctionCall,
  type KafkaSource,
} from '../../config/transforms/expression.ts'
import {
  FUNCTIONS,
  type ArgumentKind,
  type FunctionSignature,
} from '../../config/transforms/expression-functions.ts'
import { messageOf } from '../core/errors.ts'
import { typeName } from '../jmespath/built-in.ts'
import type { FunctionTable } from '../jmespath/function-table.ts'
import type { ExpressionFunction } from '../jmespath/function-table.ts'
import { isNumber } from '../jmespath/numbers.ts'
import { dateParser } from './date-pattern.ts'
import { namespaceOf, privacyFunctions } from './functions-privacy.ts'
import { patternOf, scalarText, TEXT_FUNCTIONS } from './functions-text.ts'
import { TIME_FUNCTIONS } from './functions-time.ts'
import { headerOf, sourceValue, type RecordPlace } from './record.ts'

/** One small reference file: its rows by their key, each an object of columns or a single value. */
export type Lookup = ReadonlyMap<string, unknown>

/** What functions know beside their arguments. */
export interface FunctionParts {
  readonly lookups: ReadonlyMap<string, Lookup>
  /** Keys of `hmac_sha256`. */
  readonly hashKeys: ReadonlyMap<string, KeyObject>
  /** The record at hand. */
  readonly place: RecordPlace
}

/** Our functions, each checking its arguments by its signature. */
export function functionTable(parts: FunctionParts): FunctionTable {
  const { place, lookups } = parts
  const all: Readonly<Record<string, ExpressionFunction>> = {
    ...TEXT_FUNCTIONS,
    ...TIME_FUNCTIONS,
    ...privacyFunctions(parts.hashKeys),
    lookup: ([alias, key, column]) => looked(lookups.get(alias as string), key, column),
    // Which sources there are is checked where the expression is.
    kafka: ([name]) => sourceValue({ of: name } as KafkaSource, place),
    kafka_header: ([name]) => headerOf(place.raw, place.record, name as string),
  }
  return new Map(
    Object.entries(FUNCTIONS).map(([name, signature]) => {
      const run = all[name]
      if (run === undefined) throw new Error(`Broken invariant: no function ${name}`)
      return [name, checked(name, signature, run)]
    }),
  )
}

/** What is wrong with the literal arguments of the calls of an expression: patterns, zones, names of files and keys. */
export function literalFault(node: ExpressionNode, parts: FunctionParts): string | undefined {
  for (const call of callsIn(node)) {
    try {
      checkLiterals(call, parts)
    } catch (error) {
      return `${call.name}(): ${messageOf(error)}`
    }
  }
  return undefined
}

function checkLiterals({ name, args }: FunctionCall, { lookups, hashKeys }: FunctionParts): void {
  const text = (at: number): string => literalText(args[at]) ?? ''
  switch (name) {
    case 'regex_extract':
    case 'regex_matches':
      patternOf(text(1))
      break
    case 'parse_date':
      dateParser(text(1), args.length > 2 ? text(2) : 'UTC')
      break
    case 'uuid_v5':
      namespaceOf(text(1))
      break
    case 'lookup':
      known('lookups', lookups, text(0))
      break
    case 'hmac_sha256':
      known('hashKeys', hashKeys, text(1))
      break
  }
}

function known(option: string, names: ReadonlyMap<string, unknown>, name: string): void {
  if (names.has(name)) return
  const all = names.size === 0 ? 'none' : [...names.keys()].join(', ')
  throw new Error(`${option} has no ${JSON.stringify(name)}; there is ${all}`)
}

function looked(rows: Lookup | undefined, key: unknown, column: unknown): unknown {
  if (key === null || key === undefined) return null
  const row = rows?.get(scalarText(key))
  if (row === undefined) return null
  if (column === undefined) return row
  if (typeof row !== 'object' || row === null) return null
  return Object.hasOwn(row, column as string) ? (row as Record<string, unknown>)[column as string] : null
}

function checked(name: string, signature: FunctionSignature, run: ExpressionFunction): ExpressionFunction {
  const { takes, passesNull } = signature
  const nullable = name === 'lookup'
  return (args) => {
    if (passesNull === true && (args[0] === null || args[0] === undefined)) return null
    if (name === 'concat' && args.includes(null)) return null
    for (let at = 0; at < args.length; at++) {
      const kind = takes[Math.min(at, takes.length - 1)] as ArgumentKind
      if (!isOf(kind, args[at]) && !(nullable && args[at] === null))
        throw new Error(`${name}() expected ${WORDS[kind]} as argument ${at + 1}, got ${typeName(args[at])}`)
    }
    return run(args)
  }
}

const WORDS: Readonly<Record<ArgumentKind, string>> = {
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
