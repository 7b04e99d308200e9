import { compile, TreeInterpreter } from '@jmespath-community/jmespath'
import { closest } from 'fastest-levenshtein'
import { messageOf } from '../../src/core/errors.ts'
import { EXPRESSION_FUNCTIONS, signatureOf } from './expression-functions.ts'

/** Describes a parsed expression: a node of the parser's tree. */
export type ExpressionNode = ReturnType<typeof compile>

/** Describes a function call within an expression. */
export interface FunctionCall {
  readonly name: string
  readonly args: readonly ExpressionNode[]
}

/** Names a part of a Kafka record other than its value that a transform can read. */
export type KafkaMetadataField =
  | { readonly kind: 'offset' | 'partition' | 'topic' | 'timestamp' | 'timestamp_type' | 'key' }
  | { readonly kind: 'header'; readonly name: string }

/** Lists the metadata fields that need no further name. */
const KAFKA_METADATA_FIELDS = ['offset', 'partition', 'topic', 'timestamp', 'timestamp_type', 'key'] as const

/** Maximum length of an expression, in characters. */
const EXPRESSION_MAX = 10_000

/**
 * Parses `kafka.offset`, `kafka.headers.NAME` and the like, which are valid only as the whole expression of a
 * transform. Returns `undefined` for any other text. The name of a header may be quoted.
 */
export function parseKafkaMetadataField(text: string): KafkaMetadataField | undefined {
  const [, name = '', header] = /^kafka\.(?:(\w+)|headers\.(.+))$/s.exec(text.trim()) ?? []
  if (header !== undefined) return { kind: 'header', name: header.replace(/^"(.*)"$/s, '$1') }
  const kind = KAFKA_METADATA_FIELDS.find((known) => known === name)
  return kind === undefined ? undefined : { kind }
}

/**
 * Parses a JMESPath expression. Returns its tree, or a fault in its syntax, in the name of a function, or in
 * the number or kind of arguments.
 */
export function parseJmesPath(text: string): { readonly node: ExpressionNode } | { readonly fault: string } {
  const quote = openQuote(text)
  if (quote !== undefined) return { fault: `the quote ${quote} is not closed` }
  if (text.length > EXPRESSION_MAX) return { fault: `must not be longer than ${EXPRESSION_MAX} characters` }
  try {
    const node = compile(text)
    const fault = functionCallsOf(node)
      .map(findCallFault)
      .find((found) => found !== undefined)
    return fault === undefined ? { node } : { fault }
  } catch (error) {
    const fault = messageOf(error).replace(/^Syntax error,?:? /, '')
    return { fault: /EOF/.test(fault) ? 'the expression ends too early' : fault }
  }
}

/** Returns every function call in an expression, outermost first. */
export function functionCallsOf(node: ExpressionNode): FunctionCall[] {
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

/** Returns the text of a literal, or `undefined` if the node is computed. */
export function literalTextOf(node: ExpressionNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** Returns a quote that is opened and never closed; the parser would accept it as closed at the end. */
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

function findCallFault({ name, args }: FunctionCall): string | undefined {
  const own = signatureOf(name)
  const signature = own ?? builtInSignatureOf(name)
  if (signature === undefined) {
    const nearest = closest(name, [...Object.keys(EXPRESSION_FUNCTIONS), ...builtInNames()])
    return `there is no function ${name}; the nearest is ${nearest}`
  }
  const most = signature.variadic === true ? Infinity : signature.parameters.length
  const least = signature.argumentsMin ?? signature.parameters.length
  if (args.length < least || args.length > most) {
    const wanted =
      least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`
    return `${name}() takes ${wanted} argument${wanted === '1' || wanted.endsWith(' 1') ? '' : 's'}, got ${args.length}`
  }
  const computed = own?.literalParameters?.find(
    (at) => at < args.length && literalTextOf(args[at]) === undefined,
  )
  if (computed !== undefined)
    return `argument ${computed + 1} of ${name}() must be text written in quotes: '…'`
  const source = name === 'kafka' ? literalTextOf(args[0]) : undefined
  if (source !== undefined && !KAFKA_METADATA_FIELDS.some((known) => known === source))
    return `kafka() takes one of ${KAFKA_METADATA_FIELDS.join(', ')}, got ${JSON.stringify(source)}`
  return undefined
}

function builtInNames(): string[] {
  return Object.keys(TreeInterpreter.runtime._functionTable)
}

function builtInSignatureOf(
  name: string,
):
  | { readonly parameters: readonly unknown[]; readonly argumentsMin: number; readonly variadic: boolean }
  | undefined {
  if (!builtInNames().includes(name)) return undefined
  const parameters = TreeInterpreter.runtime._functionTable[name]?._signature ?? []
  return {
    parameters,
    argumentsMin: parameters.filter(({ optional }) => optional !== true).length,
    variadic: parameters.at(-1)?.variadic === true,
  }
}
