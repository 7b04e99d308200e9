import type { ExpressionNode, KafkaMetadataField } from '../../../config/transforms/expression.ts'
import { isWithinPath } from '../../../config/transforms/path.ts'
import type { Column, Columns } from '../../arrow/column.ts'
import { takeValues } from '../../arrow/gather.ts'
import { messageOf } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import type { StructType } from '../../core/schema.ts'
import type { FormatOptions, ObjectReason } from '../../formats/format.ts'
import { SOURCE_KINDS, type MessageSource, type SourceColumns } from '../../formats/sources.ts'
import { finalPathOf } from '../columns.ts'
import type { Transformation } from '../transformation.ts'
import { typeAtPath } from '../types.ts'
import { compileColumns, isFalse, NotOnColumns, type ColumnScope, type EvaluateColumn } from './expression.ts'
import type { ColumnInput } from './input.ts'
import { kafkaColumn } from './kafka-columns.ts'
import { buildColumns, planRow, unusedFields, type ColumnPlan, type RowChanges } from './row-plan.ts'
import { MessageSources } from './message-sources.ts'
import { VALUE_KINDS, type ValueVector } from './value-vector.ts'

/** Holds rows of messages in columns, with their sources. */
export interface MessageRows {
  readonly columns: Columns
  /** Row `i` is record `records[i]`; ascending. */
  readonly records: Int32Array
  readonly sources: SourceColumns
}

/** Holds the result of the transforms of a batch on columns. */
export interface TransformedRows {
  readonly columns: Columns
  readonly records: Int32Array
  /** Row `i` comes from row `rows[i]` of the messages. */
  readonly rows: Int32Array
  /** Number of messages that the filter dropped. */
  readonly filtered: number
  /** Rows of messages that must be transformed as objects; ascending. */
  readonly remaining: readonly number[]
}

/** Transforms messages in columns into rows in columns, for one schema of rows. */
export class ColumnProgram {
  /** The fields of messages that are needed as they are written. */
  readonly sources: readonly MessageSource[]
  readonly #rows: StructType
  readonly #rules: readonly EvaluateColumn[]
  readonly #filter: EvaluateColumn | undefined
  readonly #transforms: readonly EvaluateColumn[]
  readonly #plans: readonly ColumnPlan[]
  /** Transforms whose results are in no column: those of removed fields, and those that rows have no column for yet. */
  readonly #unused: readonly { readonly transform: number; readonly isRemoved: boolean }[]
  /** For each transform the source at its destination, if a null keeps the value there. */
  readonly #kept: readonly (number | undefined)[]
  /** Sources at the paths of drop and rename, in that order. */
  readonly #watched: readonly number[]

  /**
   * Compiles the steps for messages with the columns `messages`.
   * @throws NotOnColumns with the reasons why objects are needed
   */
  constructor(
    transformation: Transformation,
    rows: Pick<FormatOptions, 'schema' | 'absentValues' | 'unknownFields'>,
    messages: StructType,
  ) {
    const { steps } = transformation
    const sources = new MessageSources(messages)
    const reasons: ObjectReason[] = []
    const scope: ColumnScope = {
      sourceAt: (path) => sources.read(path),
      call(name, args, record) {
        if (steps.call === undefined) throw new Error('Broken invariant: an expression without functions')
        return steps.call(name, args, record)
      },
    }
    const compiled = <T>(subject: string, compile: () => T): T | undefined => {
      try {
        return compile()
      } catch (error) {
        if (!(error instanceof NotOnColumns)) throw error
        reasons.push({ subject, reason: messageOf(error) })
        return undefined
      }
    }
    const all = <T, R>(values: readonly T[], subject: (value: T) => string, make: (value: T) => R): R[] =>
      values.flatMap((value) => compiled(subject(value), () => [make(value)]) ?? [])
    this.#rules = all(
      steps.rules,
      ({ name }) => `rules.${name}`,
      ({ when }) => compileColumns(when.node, scope),
    )
    const { filter } = steps
    this.#filter = filter && compiled('filter', () => compileColumns(filter.node, scope))
    this.#transforms = all(
      steps.transforms,
      ({ destination }) => `transforms.${destination}`,
      ({ source }) => compileSource(source, scope),
    )
    const results = steps.transforms.map(({ path }) => finalPathOf(path, transformation))
    const existing = steps.transforms.map(({ path }) => sources.replace(path))
    const drops = steps.drop.map(({ path }) => ({ path, source: sources.remove(path) }))
    const renamed = steps.rename.map(({ from, to }) => sources.rename(from, to, rows.schema))
    const replaced = steps.transforms.map(({ path }) => path)
    const renames = new Map(steps.rename.map(({ from, to }) => [from[0] ?? '', to[0] ?? '']))
    compiled('transforms', () => {
      checkSteps(transformation)
      if (rows.unknownFields === 'count') {
        checkCounts(messages, [...replaced, ...steps.drop.map(({ path }) => path)])
        checkResults(rows.schema, results)
      }
      checkDefaults(rows.absentValues, [
        ...results,
        ...steps.drop.map(({ path }) => path),
        ...steps.rename.map(({ from }) => from),
      ])
    })
    const changes: RowChanges = { results, replaced, drops, renames }
    this.#plans = compiled('transforms', () => planRow(rows.schema, messages, changes)) ?? []
    for (const path of unusedFields(messages, this.#plans, changes)) sources.refuse(path)
    if (reasons.length > 0) throw new ProgramFaults(reasons)
    this.#rows = rows.schema
    const planned = new Set(transformsOf(this.#plans))
    this.#unused = results.flatMap((result, transform) =>
      planned.has(transform) ? [] : [{ transform, isRemoved: result === undefined }],
    )
    this.#kept = steps.keepsOnNull === true ? existing : existing.map(() => undefined)
    this.#watched = [...drops.map(({ source }) => source), ...renamed]
    this.sources = sources.all
  }

  /** Transforms the rows of a batch. */
  run(raw: Raw, { columns, records, sources }: MessageRows): TransformedRows {
    const all = Int32Array.from({ length: records.length }, (_, row) => row)
    const input: ColumnInput = { raw, sources, rows: all, records, length: all.length }
    const { kept, filtered, remaining } = this.#select(input)
    const isWhole = kept.length === all.length
    const selected = isWhole
      ? input
      : { ...input, rows: kept, records: kept.map((row) => records[row] as number), length: kept.length }
    const suspect = new Uint8Array(kept.length)
    const results = this.#transforms.map((evaluate) => evaluate(selected))
    this.#markResults(results, selected, suspect)
    const built = buildColumns(this.#plans, {
      messages: isWhole ? columns.columns : columns.columns.map((column) => takeValues(column, kept)),
      results,
      length: kept.length,
      suspect,
      sources: sources.columns,
      rows: kept,
    })
    return this.#withoutSuspects(built, selected, suspect, { filtered, remaining })
  }

  /** Returns the indexes of the paths of drop and rename, in that order, that a message of the batch has. */
  matchedPaths(sources: SourceColumns): readonly number[] {
    return this.#watched.flatMap((source, index) =>
      sources.columns[source]?.kinds.some((kind) => kind !== SOURCE_KINDS.absent) === true ? [index] : [],
    )
  }

  /** Applies rules and the filter. A message that a rule refuses is left to the way of objects. */
  #select(input: ColumnInput): { kept: Int32Array; filtered: number; remaining: number[] } {
    const remaining: number[] = []
    const rules = this.#rules.map((rule) => rule(input))
    const filter = this.#filter?.(input)
    const kept = new Int32Array(input.length)
    let count = 0
    let filtered = 0
    for (let row = 0; row < input.length; row++) {
      const passes = filter === undefined ? 0 : isFalse(filter, row)
      if (passes < 0 || !holdsNone(rules, row)) remaining.push(row)
      else if (passes === 1) filtered++
      else kept[count++] = row
    }
    return { kept: kept.subarray(0, count), filtered, remaining }
  }

  #markResults(results: readonly ValueVector[], { rows, sources }: ColumnInput, suspect: Uint8Array): void {
    for (const { transform, isRemoved } of this.#unused) {
      const { kinds } = results[transform] as ValueVector
      for (let i = 0; i < suspect.length; i++)
        if (kinds[i] === VALUE_KINDS.unknown || (!isRemoved && kinds[i] !== VALUE_KINDS.null)) suspect[i] = 1
    }
    for (const [index, source] of this.#kept.entries()) {
      const column = source === undefined ? undefined : sources.columns[source]
      if (column === undefined) continue
      const { kinds } = results[index] as ValueVector
      for (let i = 0; i < suspect.length; i++)
        if (kinds[i] === VALUE_KINDS.null && (column.kinds[rows[i] as number] as number) > SOURCE_KINDS.null)
          suspect[i] = 1
    }
  }

  #withoutSuspects(
    built: readonly Column[],
    { rows, records }: ColumnInput,
    suspect: Uint8Array,
    { filtered, remaining }: Pick<TransformedRows, 'filtered'> & { readonly remaining: number[] },
  ): TransformedRows {
    const schema = this.#rows
    let count = 0
    for (let i = 0; i < suspect.length; i++) if (suspect[i] === 0) count++
    if (count === suspect.length)
      return { columns: { schema, length: count, columns: built }, records, rows, filtered, remaining }
    const good = new Int32Array(count)
    let at = 0
    for (let i = 0; i < suspect.length; i++) {
      if (suspect[i] === 0) good[at++] = i
      else remaining.push(rows[i] as number)
    }
    return {
      columns: { schema, length: count, columns: built.map((column) => takeValues(column, good)) },
      records: good.map((i) => records[i] as number),
      rows: good.map((i) => rows[i] as number),
      filtered,
      remaining: remaining.sort((a, b) => a - b),
    }
  }
}

/** Returns the transforms whose results are in a column. */
function transformsOf(plans: readonly ColumnPlan[]): readonly number[] {
  return plans.flatMap((plan) =>
    plan.kind === 'result' ? [plan.transform] : plan.kind === 'struct' ? transformsOf(plan.children) : [],
  )
}

/** Lists why the steps of a topic need objects. */
export class ProgramFaults extends NotOnColumns {
  readonly reasons: readonly ObjectReason[]

  constructor(reasons: readonly ObjectReason[]) {
    super(reasons.map(({ subject, reason }) => `${subject}: ${reason}`).join('; '))
    this.reasons = reasons
  }
}

function compileSource(source: ExpressionNode | KafkaMetadataField, scope: ColumnScope): EvaluateColumn {
  return 'kind' in source ? kafkaColumn(source) : compileColumns(source, scope)
}

/** Returns true when no rule is known, or possible, to hold for a row. */
function holdsNone(rules: readonly ValueVector[], row: number): boolean {
  for (const rule of rules) if (isFalse(rule, row) !== 1) return false
  return true
}

/** Refuses steps that act on each other, whose result depends on what each message has. */
function checkSteps({ steps }: Transformation): void {
  const { drop, rename, transforms } = steps
  for (const { text, from, to } of rename) {
    if (from.length > 1 || to.length > 1) throw new NotOnColumns(`rename.${text} moves a field of an object`)
    const others = [
      ...transforms.map(({ path }) => path[0]),
      ...drop.map(({ path }) => path[0]),
      ...rename.flatMap((other) => (other.text === text ? [] : [other.from[0], other.to[0]])),
    ]
    if (others.includes(from[0]) || others.includes(to[0]))
      throw new NotOnColumns(`rename.${text} renames a field that another step changes`)
  }
  for (const { text, path } of drop) {
    const isMixed = transforms.some(
      (transform) =>
        isWithinPath(path, transform.path) ||
        isWithinPath(transform.path, path) ||
        (path.length > 1 && transform.path.length > 1 && transform.path[0] === path[0]),
    )
    const isTwice = drop.some((other) => other.text !== text && other.path[0] === path[0])
    if (isMixed) throw new NotOnColumns(`drop ${text} removes a field of an object that a transform changes`)
    if (isTwice && path.length > 1) throw new NotOnColumns(`drop removes several fields of ${path[0] ?? ''}`)
  }
}

/** Fields without a column are counted, but not those inside an object that is removed or replaced. */
function checkCounts(messages: StructType, paths: readonly (readonly string[])[]): void {
  for (const path of paths) {
    const type = typeAtPath(messages, path)
    if (type !== undefined && typeof type !== 'string')
      throw new NotOnColumns(
        `the object ${path.join('.')} is removed or replaced, and dropped fields are counted`,
      )
  }
}

/** A result without a column is counted like a field, even null where the message had the field. */
function checkResults(rows: StructType, results: RowChanges['results']): void {
  const missing = results.find((path) => path !== undefined && typeAtPath(rows, path) === undefined)
  if (missing !== undefined)
    throw new NotOnColumns(`the table has no column ${missing.join('.')}, and dropped fields are counted`)
}

/** A default applies where a row lacks a value, which depends on what each message has. */
function checkDefaults(absentValues: FormatOptions['absentValues'], paths: RowChanges['results']): void {
  const changed = paths.find((path) => path !== undefined && absentValues?.has(path[0] ?? '') === true)
  if (changed !== undefined) throw new NotOnColumns(`the column ${changed[0] ?? ''} has a default`)
}
