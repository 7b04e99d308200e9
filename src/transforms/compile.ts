import type { KeyObject } from 'node:crypto'
import { kafkaSource, parseExpression, type ExpressionNode } from '../../config/transforms/expression.ts'
import type { Raw } from '../core/raw.ts'
import type { DataType, StructType } from '../core/schema.ts'
import { Expressions, type Expression } from '../jmespath/expression.ts'
import { configInvalid } from './faults.ts'
import { functionTable, literalFault, type FunctionParts, type Lookup } from './functions.ts'
import { sourceValue, SOURCE_TYPES } from './record.ts'
import { placesOf, type Places } from './reshape.ts'
import { Transformation, type CompiledRename, type CompiledTransform } from './transformation.ts'
import { typeOfExpression } from './types.ts'

/** A field that a transform makes: an expression or a source, and the type of its column where that is said. */
export type TransformOption = string | { readonly expr: string; readonly type?: string }

/** A rule: a message for which `when` is true becomes a dead letter that says `error`. */
export interface RuleOption {
  readonly name: string
  readonly when: string
  readonly error: string
}

/** What becomes of messages, in the order in which it does. Paths are dotted; expressions are JMESPath. */
export interface TransformOptions {
  readonly rules?: readonly RuleOption[]
  /** Messages for which it is not true are filtered. */
  readonly filter?: string
  /** By destination. */
  readonly transforms?: Readonly<Record<string, TransformOption>>
  readonly drop?: readonly string[]
  /** Old path → new path. */
  readonly rename?: Readonly<Record<string, string>>
  readonly lookups?: ReadonlyMap<string, Lookup>
  readonly hashKeys?: ReadonlyMap<string, KeyObject>
}

/** Whether anything is asked of messages at all. */
export function transformsAnything(options: Omit<TransformOptions, 'lookups' | 'hashKeys'>): boolean {
  return (
    (options.rules ?? []).length > 0 ||
    options.filter !== undefined ||
    Object.keys(options.transforms ?? {}).length > 0 ||
    (options.drop ?? []).length > 0 ||
    Object.keys(options.rename ?? {}).length > 0
  )
}

/**
 * Compiles what a topic does to its messages; `schema` is that of messages, where it is known, for the types of new
 * columns, and `prefix` stands before the options in messages.
 * @throws KD_CONFIG_INVALID with every fault and the option that it stands in
 */
export function compileTransforms(
  options: TransformOptions,
  schema?: StructType,
  prefix = '',
): Transformation {
  const compiler = new Compiler(options, schema)
  const { faults } = compiler
  const rules = (options.rules ?? []).flatMap(({ name, when, error }) => {
    const compiled = compiler.expression(when, `rules.${name}.when`)
    return compiled === undefined ? [] : [{ name, when: compiled.expression, error }]
  })
  const filter = options.filter === undefined ? undefined : compiler.expression(options.filter, 'filter')
  const transforms = Object.entries(options.transforms ?? {}).flatMap(
    ([destination, option]) => compiler.transform(destination, option) ?? [],
  )
  const places = compiler.places(
    transforms.map(({ path }) => path),
    'transforms',
  )
  const drop = (options.drop ?? []).map((path) => path.split('.'))
  const rename = Object.entries(options.rename ?? {}).flatMap(([from, to]): CompiledRename[] => {
    const path = to.split('.')
    const at = compiler.places([path], `rename.${from}`)
    return at === undefined ? [] : [{ from: from.split('.'), to: path, places: at }]
  })
  if (faults.length > 0 || places === undefined) throw configInvalid(faults, prefix)
  const { place } = compiler.functions
  return new Transformation({ place, rules, filter: filter?.expression, transforms, places, drop, rename })
}

class Compiler {
  readonly faults: string[] = []
  readonly functions: FunctionParts
  readonly #schema: StructType | undefined
  readonly #expressions: Expressions

  constructor(options: TransformOptions, schema: StructType | undefined) {
    this.#schema = schema
    this.functions = {
      lookups: options.lookups ?? new Map<string, Lookup>(),
      hashKeys: options.hashKeys ?? new Map<string, KeyObject>(),
      place: { raw: NO_RECORD, record: 0 },
    }
    this.#expressions = new Expressions(functionTable(this.functions))
  }

  expression(
    text: string,
    key: string,
  ): { readonly expression: Expression; readonly node: ExpressionNode } | undefined {
    const parsed = parseExpression(text)
    const fault = 'fault' in parsed ? parsed.fault : literalFault(parsed.node, this.functions)
    if (fault !== undefined || 'fault' in parsed) {
      this.faults.push(`${key}: ${String(fault)}: value was ${JSON.stringify(text)}`)
      return undefined
    }
    return { expression: this.#expressions.of(text, parsed.node), node: parsed.node }
  }

  transform(destination: string, option: TransformOption): CompiledTransform | undefined {
    const { expr: text, type: written } =
      typeof option === 'string' ? { expr: option, type: undefined } : option
    const path = destination.split('.')
    // Which words are types is checked with the configuration.
    const explicit = written as DataType | undefined
    const common = { destination, path, text, isExplicit: explicit !== undefined }
    const source = kafkaSource(text)
    if (source !== undefined) {
      const { place } = this.functions
      const type = explicit ?? SOURCE_TYPES[source.of]
      return { ...common, type, evaluate: () => sourceValue(source, place) }
    }
    const compiled = this.expression(text, `transforms.${destination}`)
    if (compiled === undefined) return undefined
    const { expression, node } = compiled
    const type = explicit ?? typeOfExpression(node, this.#schema)
    return { ...common, type, evaluate: (message) => expression.evaluate(message) }
  }

  places(paths: readonly (readonly string[])[], key: string): Places | undefined {
    try {
      return placesOf(paths)
    } catch (error) {
      this.faults.push(`${key}: ${(error as Error).message}`)
      return undefined
    }
  }
}

/** Stands for the record until the first one comes. */
const NO_RECORD: Raw = {
  topic: '',
  partition: 0,
  count: 0,
  bytes: new Uint8Array(0),
  valueStart: new Int32Array(0),
  valueEnd: new Int32Array(0),
  keys: new Uint8Array(0),
  keyStart: new Int32Array(0),
  keyEnd: new Int32Array(0),
  offsets: new BigInt64Array(0),
  timestampsMs: new Float64Array(0),
  headers: undefined,
}
