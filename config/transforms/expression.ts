import { compile, TreeInterpreter } from '@jmespath-community/jmespath'
import { closest } from 'fastest-levenshtein'
import { messageOf } from '../../src/core/errors.ts'
import { FUNCTIONS, signatureOf } from './expression-functions.ts'

/** A parsed expression: a node of the parser's tree. */
export type ExpressionNode = ReturnType<typeof compile>

/** The call of a function within an expression. */
export interface FunctionCall {
  readonly name: string
  readonly args: readonly ExpressionNode[]
}

/** What of a record that its value does not hold can be the source of a field. */
export type KafkaSource =
  | { readonly of: 'offset' | 'partition' | 'topic' | 'timestamp' | 'timestamp_type' | 'key' }
  | { readonly of: 'header'; readonly name: string }

/** The plain sources. */
export const KAFKA_SOURCES = ['offset', 'partition', 'topic', 'timestamp', 'timestamp_type', 'key'] as const

/** Longest expression, in characters. */
const EXPRESSION_MAX = 10_000

/**
 * `kafka.offset` and its like, which are sources only where they are the whole of a transform; `undefined` for any other
 * text. The name of a header may be written in quotes.
 */
export function kafkaSource(text: string): KafkaSource | undefined {
  const [, name = '', header] = /^kafka\.(?:(\w+)|headers\.(.+))$/s.exec(text.trim()) ?? []
  if (header !== undefined) return { of: 'header', name: header.replace(/^"(.*)"$/s, '$1') }
  const of = KAFKA_SOURCES.find((known) => known === name)
  return of === undefined ? undefined : { of }
}

/** The tree of an expression, or what is wrong with it: its syntax, a function that there is not, the number of arguments. */
export function parseExpression(
  text: string,
): { readonly node: ExpressionNode } | { readonly fault: string } {
  const quote = openQuote(text)
  if (quote !== undefined) return { fault: `a ${quote} is not closed` }
  if (text.length > EXPRESSION_MAX) return { fault: `must not be longer than ${EXPRESSION_MAX} characters` }
  try {
    const node = compile(text)
    const fault = callsIn(node)
      .map(faultOfCall)
      .find((found) => found !== undefined)
    return fault === undefined ? { node } : { fault }
  } catch (error) {
    const fault = messageOf(error).replace(/^Syntax error,?:? /, '')
    return { fault: /EOF/.test(fault) ? 'the expression ends too early' : fault }
  }
}

/** Every call of a function in an expression, outermost first. */
export function callsIn(node: ExpressionNode): FunctionCall[] {
  const calls: FunctionCall[] = []
  const todo: unknown[] = [node]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (Array.isArray(next)) todo.push(...(next as unknown[]))
    else if (isNode(next)) {
      if (next.type === 'Function') calls.push({ name: next.name, args: next.children })
      if (next.type !== 'Literal') todo.push(...(Object.values(next) as unknown[]))
    }
  }
  return calls
}

/** The text that is written at a place of an expression; `undefined` where it is computed. */
export function literalText(node: ExpressionNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** The quote that is opened and never closed, which the parser would take for closed at the end. */
function openQuote(text: string): string | undefined {
  let open: string | undefined
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string
    if (open !== undefined && character === '\\') at++
    else if (character === open) open = undefined
    else if (open === undefined && `'"\``.includes(character)) open = character
  }
  return open
}

function isNode(value: unknown): value is ExpressionNode {
  return typeof value === 'object' && value !== null && 'type' in value
}

function faultOfCall({ name, args }: FunctionCall): string | undefined {
  const own = signatureOf(name)
  const signature = own ?? builtIn(name)
  if (signature === undefined) {
    const nearest = closest(name, [...Object.keys(FUNCTIONS), ...builtIns()])
    return `there is no function ${name}; the nearest is ${nearest}`
  }
  const most = signature.variadic === true ? Infinity : signature.takes.length
  const least = signature.least ?? signature.takes.length
  if (args.length < least || args.length > most) {
    const wanted =
      least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`
    return `${name}() takes ${wanted} argument${wanted === '1' || wanted.endsWith(' 1') ? '' : 's'}, got ${args.length}`
  }
  const computed = own?.literal?.find((at) => at < args.length && literalText(args[at]) === undefined)
  if (computed !== undefined)
    return `argument ${computed + 1} of ${name}() must be text written in quotes: '…'`
  const source = name === 'kafka' ? literalText(args[0]) : undefined
  if (source !== undefined && !KAFKA_SOURCES.some((known) => known === source))
    return `kafka() takes one of ${KAFKA_SOURCES.join(', ')}, got ${JSON.stringify(source)}`
  return undefined
}

function builtIns(): string[] {
  return Object.keys(TreeInterpreter.runtime._functionTable)
}

function builtIn(
  name: string,
): { readonly takes: readonly unknown[]; readonly least: number; readonly variadic: boolean } | undefined {
  if (!builtIns().includes(name)) return undefined
  const takes = TreeInterpreter.runtime._functionTable[name]?._signature ?? []
  return {
    takes,
    least: takes.filter(({ optional }) => optional !== true).length,
    variadic: takes.at(-1)?.variadic === true,
  }
}
