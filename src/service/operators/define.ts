import type { Meter } from '@opentelemetry/api'
import type { RowOperator } from '../../../operators/rows/row-operator.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Enrichment } from '../../enrichments/enrichment.ts'
import type { Logger } from '../../telemetry/log.ts'
import type { ExtensionFormat, TopicExtensions } from './extensions.ts'

/** Holds what the operators of a topic are made with. */
export interface OperatorsContext {
  /** Name of the topic in Kafka. */
  readonly topic: string
  /** Name of the topic's entry in the configuration; `<entry>/<topic>` for a topic of a list or a pattern. */
  readonly name: string
  /** The logger of the topic. */
  readonly log: Logger
  /** Creates metrics that have the topic as an attribute; `/metrics` serves them. */
  readonly meter: Meter
}

/** Holds the code that runs within the pipeline of one topic, for one run of the topic. */
export interface TopicOperators {
  /** Operators on validated rows, in order. */
  readonly rows?: RowOperator<never, object> | readonly RowOperator<never, object>[] | undefined
  /** Decodes the records in place of the configured format. */
  readonly format?: ExtensionFormat | undefined
  /** Adds columns, after those of the configuration. */
  readonly enrichments?: readonly Enrichment[] | undefined
  /** Releases what the operators hold; called when the topic is closed, also before a restart. */
  readonly close?: (() => unknown) | undefined
}

/**
 * Makes the operators of a topic. It is called each time the topic starts, also after a restart, so that state that it creates
 * begins empty.
 */
export type OperatorsFunction = (context: OperatorsContext) => TopicOperators | Promise<TopicOperators>

// Shared by all copies of this module in a process.
const DEFINITION: unique symbol = Symbol.for('kafka-delta operators')

/** Marks a function that makes the operators of a topic. */
export type OperatorsDefinition = OperatorsFunction & { readonly [DEFINITION]: true }

/** Represents the code of a topic: its definition, the operators themselves, or one or several operators on rows. */
export type OperatorsInput =
  OperatorsDefinition | TopicOperators | RowOperator<never, object> | readonly RowOperator<never, object>[]

/** Returns the definition of a topic's operators, which is the default export of the file of the option `operators`. */
export function defineOperators(define: OperatorsFunction): OperatorsDefinition {
  const definition: OperatorsFunction = (context) => define(context)
  return Object.assign(definition, { [DEFINITION]: true as const })
}

/**
 * Makes the extensions of a topic from the code in `input`; `source` names it in errors.
 * @throws KD_CONFIG_INVALID when it is nothing that a topic can run, and the errors of the code
 */
export async function makeExtensions(
  input: unknown,
  context: OperatorsContext,
  source: string,
): Promise<TopicExtensions> {
  if (isDefinition(input)) return extensionsOf(await input(context), source, 'the function returned')
  return extensionsOf(input, source, 'it is')
}

const KEYS = ['rows', 'format', 'enrichments', 'close'] as const

function extensionsOf(given: unknown, source: string, what: string): TopicExtensions {
  const refuse = (fault: string): PipelineError =>
    new PipelineError('KD_CONFIG_INVALID', `${source}: ${fault}`)
  if (typeof given === 'function' || Array.isArray(given)) return { rows: operatorsOf(given, 'rows', refuse) }
  if (typeof given !== 'object' || given === null)
    throw refuse(
      `expected defineOperators(…), an operator on rows or a list of them, but ${what} ${given === null ? 'null' : typeof given}`,
    )
  const parts = given as { readonly [K in (typeof KEYS)[number]]?: unknown }
  const unknown = Object.keys(parts).find((key) => !(KEYS as readonly string[]).includes(key))
  if (unknown !== undefined) throw refuse(`unknown property ${unknown}; known are ${KEYS.join(', ')}`)
  const { rows, format, enrichments, close } = parts
  if (format !== undefined && !isFormat(format))
    throw refuse('format: expected a format with name, contract and open, such as json(schema)')
  if (enrichments !== undefined && !(Array.isArray(enrichments) && enrichments.every(isEnrichment)))
    throw refuse('enrichments: expected a list of enrichments with fields and columns')
  if (close !== undefined && typeof close !== 'function') throw refuse('close: expected a function')
  return {
    ...(rows === undefined ? {} : { rows: operatorsOf(rows, 'rows', refuse) }),
    ...(format === undefined ? {} : { format }),
    ...(enrichments === undefined ? {} : { enrichments }),
    ...(close === undefined ? {} : { close: () => (close as () => unknown).call(parts) }),
  }
}

function operatorsOf(
  given: unknown,
  key: string,
  refuse: (fault: string) => PipelineError,
): readonly RowOperator<never, object>[] {
  const operators: readonly unknown[] = Array.isArray(given) ? given : [given]
  const wrong = operators.findIndex((operator) => typeof operator !== 'function' || isDefinition(operator))
  if (wrong >= 0) throw refuse(`${key}[${wrong}]: expected an operator on rows, such as mapRows(…)`)
  return operators as readonly RowOperator<never, object>[]
}

function isDefinition(given: unknown): given is OperatorsDefinition {
  return typeof given === 'function' && DEFINITION in given
}

function isFormat(given: unknown): given is ExtensionFormat {
  const { name, contract, open } = (given ?? {}) as { readonly [K in keyof ExtensionFormat]?: unknown }
  return typeof name === 'string' && typeof contract === 'object' && typeof open === 'function'
}

function isEnrichment(given: unknown): given is Enrichment {
  const { fields, columns } = (given ?? {}) as { readonly [K in keyof Enrichment]?: unknown }
  return Array.isArray(fields) && typeof columns === 'function'
}
