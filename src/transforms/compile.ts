import type { KeyObject } from 'node:crypto'
import {
  parseKafkaMetadataField,
  parseJmesPath,
  type ExpressionNode,
} from '../../config/transforms/expression.ts'
import { parsePath, type FieldPath } from '../../config/transforms/path.ts'
import type { DataType, StructType } from '../core/schema.ts'
import { ExpressionCompiler, type Expression } from '../jmespath/expression.ts'
import { invalidConfigError } from './faults.ts'
import { createFunctionTable, literalArgumentFault, type FunctionContext, type Lookup } from './functions.ts'
import { readKafkaSource, KAFKA_SOURCE_TYPES, type MessageRecord } from './record.ts'
import { buildDestinationTree, type DestinationTree } from './reshape.ts'
import {
  Transformation,
  type CompiledDrop,
  type CompiledRename,
  type CompiledTransform,
} from './transformation.ts'
import { typeOfExpression } from './types.ts'

/** Describes a field that a transform sets: an expression or a Kafka source, optionally with its column type. */
export type TransformOption = string | { readonly expr: string; readonly type?: string }

/** Describes a rule: a message for which `when` is true becomes a dead letter with the text `error`. */
export interface RuleOption {
  readonly name: string
  readonly when: string
  readonly error: string
}

/**
 * Describes the steps applied to messages, in the order of application. Paths are names joined by dots, in which a name
 * with a dot is quoted: `"user.email"`. Expressions are JMESPath.
 */
export interface TransformOptions {
  readonly rules?: readonly RuleOption[]
  /** Messages for which the expression is not true are filtered out. */
  readonly filter?: string
  /** Keyed by destination. */
  readonly transforms?: Readonly<Record<string, TransformOption>>
  readonly drop?: readonly string[]
  /** Old path → new path. */
  readonly rename?: Readonly<Record<string, string>>
  readonly lookups?: ReadonlyMap<string, Lookup>
  readonly hashKeys?: ReadonlyMap<string, KeyObject>
}

/** Returns true when the options contain at least one step. */
export function hasTransforms(options: Omit<TransformOptions, 'lookups' | 'hashKeys'>): boolean {
  return (
    (options.rules ?? []).length > 0 ||
    options.filter !== undefined ||
    Object.keys(options.transforms ?? {}).length > 0 ||
    (options.drop ?? []).length > 0 ||
    Object.keys(options.rename ?? {}).length > 0
  )
}

/**
 * Compiles the rules, filter and transforms of a topic. `schema` is the schema of messages, if known, from which the
 * types of new columns are derived. `prefix` precedes the option names in error messages.
 * @throws KD_CONFIG_INVALID with every fault and the option it concerns
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
  const destinations = compiler.destinationsOf(
    transforms.map(({ path }) => path),
    'transforms',
  )
  const drop = (options.drop ?? []).flatMap((text): CompiledDrop[] => {
    const path = compiler.path(text, 'drop')
    return path === undefined ? [] : [{ text, path }]
  })
  const rename = Object.entries(options.rename ?? {}).flatMap(([text, to]): CompiledRename[] => {
    const key = `rename.${text}`
    const [from, path] = [compiler.path(text, key), compiler.path(to, key)]
    const destination = path && compiler.destinationsOf([path], key)
    return from && path && destination ? [{ text, from, to: path, destination }] : []
  })
  if (faults.length > 0 || destinations === undefined) throw invalidConfigError(faults, prefix)
  return new Transformation({
    rules,
    filter: filter?.expression,
    transforms,
    destinations,
    drop,
    rename,
    call: (name, args, record) => compiler.call(name, args, record),
  })
}

class Compiler {
  readonly faults: string[] = []
  readonly functions: FunctionContext
  readonly #schema: StructType | undefined
  readonly #expressions: ExpressionCompiler<MessageRecord>

  constructor(options: TransformOptions, schema: StructType | undefined) {
    this.#schema = schema
    this.functions = {
      lookups: options.lookups ?? new Map<string, Lookup>(),
      hashKeys: options.hashKeys ?? new Map<string, KeyObject>(),
    }
    this.#expressions = new ExpressionCompiler(createFunctionTable(this.functions))
  }

  expression(
    text: string,
    key: string,
  ): { readonly expression: Expression<MessageRecord>; readonly node: ExpressionNode } | undefined {
    const parsed = parseJmesPath(text)
    const fault = 'fault' in parsed ? parsed.fault : literalArgumentFault(parsed.node, this.functions)
    if (fault !== undefined || 'fault' in parsed) {
      this.faults.push(`${key}: ${String(fault)}: value was ${JSON.stringify(text)}`)
      return undefined
    }
    return { expression: this.#expressions.compile(text, parsed.node), node: parsed.node }
  }

  call(name: string, args: readonly unknown[], record: MessageRecord): unknown {
    return this.#expressions.call(name, args, record)
  }

  transform(destination: string, option: TransformOption): CompiledTransform | undefined {
    const { expr: text, type: written } =
      typeof option === 'string' ? { expr: option, type: undefined } : option
    const path = this.path(destination, `transforms.${destination}`)
    // The configuration check has validated the type name.
    const explicit = written as DataType | undefined
    if (path === undefined) return undefined
    const common = { destination, path, text, isExplicit: explicit !== undefined }
    const source = parseKafkaMetadataField(text)
    if (source !== undefined) {
      const type = explicit ?? KAFKA_SOURCE_TYPES[source.kind]
      return { ...common, source, type, evaluate: (_, record) => readKafkaSource(source, record) }
    }
    const compiled = this.expression(text, `transforms.${destination}`)
    if (compiled === undefined) return undefined
    const { expression, node } = compiled
    const type = explicit ?? typeOfExpression(node, this.#schema)
    return {
      ...common,
      source: node,
      type,
      evaluate: (message, record) => expression.evaluate(message, record),
    }
  }

  path(text: string, key: string): FieldPath | undefined {
    const parsed = parsePath(text)
    if ('names' in parsed) return parsed.names
    this.faults.push(`${key}: ${parsed.fault}`)
    return undefined
  }

  destinationsOf(paths: readonly (readonly string[])[], key: string): DestinationTree | undefined {
    try {
      return buildDestinationTree(paths)
    } catch (error) {
      this.faults.push(`${key}: ${(error as Error).message}`)
      return undefined
    }
  }
}
