import { inferType, isColumnName, mergeStructs, mergeTypes } from '../contract/columns/infer.ts'
import { PipelineError } from '../core/errors.ts'
import { findField, typeName, type DataType, type StructField, type StructType } from '../core/schema.ts'
import { isWider } from '../core/widening.ts'
import type { TableShape } from '../delta/protocol/table-shape.ts'
import { evolveTable } from '../delta/schema/evolve.ts'
import type { WriterSchema } from '../formats/format.ts'
import { fieldNamesOf, type UnknownField } from './coerce-message.ts'
import { countWaysTo } from './field-paths.ts'
import { countFields } from './infer-new-columns.ts'
import { columnOriginOf, describedField } from './table-columns.ts'

/** Limits the fields, at any depth, that writers' schemas may add to the columns of one topic. */
export const WRITER_FIELDS_MAX = 10_000

/** Describes how columns are extended by those of a writer's schema. */
interface WriterColumnRules {
  /** Fields, at any depth, that may still be added. */
  readonly fieldsMax: number
  /** True when types of present columns become the writer's where these hold all their values. */
  readonly widens: boolean
  /** Decides whether a column, by its lower-case name, is filled by something other than the messages. */
  readonly isHidden: (folded: string) => boolean
}

/**
 * Returns the columns together with those of a writer's schema, at any depth and last in their struct, or the same object
 * when it adds none. Fields without a value in any message are added too. A present column keeps its type, unless the
 * writer's is wider: values of an unrelated type do not fit it. Fields beyond `fieldsMax`, or with names that a table
 * cannot have, are left out.
 */
export function extendByWriter(
  schema: StructType,
  writer: StructType,
  rules: WriterColumnRules,
): { readonly schema: StructType; readonly isWidened: boolean } {
  const extension = new WriterExtension(rules)
  const extended = extension.struct(schema, writer, true)
  return { schema: extended, isWidened: extension.isWidened }
}

/**
 * Returns the columns of several writers' schemas together, in order of first appearance: of two types the one that holds
 * the values of both, or text for unrelated ones.
 */
export function mergeWriterColumns(
  writers: Iterable<WriterSchema>,
  isHidden: WriterColumnRules['isHidden'],
): StructType {
  let merged: StructType = { type: 'struct', fields: [] }
  for (const { columns } of new Set(writers)) merged = mergeStructs(merged, columns)
  const rules = { fieldsMax: WRITER_FIELDS_MAX, widens: true, isHidden }
  return extendByWriter({ type: 'struct', fields: [] }, merged, rules).schema
}

/** Holds the columns of the writers' schemas that a topic's messages have named so far. */
export class WriterColumns {
  readonly #isHidden: WriterColumnRules['isHidden']
  readonly #known = new WeakSet<WriterSchema>()
  #columns: StructType = { type: 'struct', fields: [] }

  constructor(isHidden: WriterColumnRules['isHidden']) {
    this.#isHidden = isHidden
  }

  /** Adds the columns of a schema; returns false when it was added before. */
  add(writer: WriterSchema): boolean {
    if (this.#known.has(writer)) return false
    this.#known.add(writer)
    const fieldsMax = WRITER_FIELDS_MAX - countFields(this.#columns)
    const rules = { fieldsMax, widens: true, isHidden: this.#isHidden }
    this.#columns = extendByWriter(this.#columns, writer.columns, rules).schema
    return true
  }

  /** Returns the columns of a table's rows extended by those added. Types are widened only where the table allows it. */
  extend(schema: StructType, shape: TableShape): StructType {
    const rules = { fieldsMax: Infinity, isHidden: this.#isHidden }
    for (const field of this.#columns.fields) {
      const one: StructType = { type: 'struct', fields: [field] }
      const widened = extendByWriter(schema, one, { ...rules, widens: true })
      const column = widened.isWidened ? findField(widened.schema, field.name) : undefined
      schema =
        column === undefined || canBecome(shape, column)
          ? widened.schema
          : extendByWriter(schema, one, { ...rules, widens: false }).schema
    }
    return schema
  }
}

function canBecome(shape: TableShape, column: StructField): boolean {
  try {
    evolveTable(shape, { type: 'struct', fields: [column] }, { add: true, widen: true })
    return true
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KD_SCHEMA_MISMATCH') return false
    throw error
  }
}

/** Returns true when a writer's schema says what the field at a dotted path is: a column, or why it can be none. */
export function describesField(writer: WriterSchema, path: string): boolean {
  return countWaysTo(writer.columns, path.toLowerCase()) > 0 || columnFaultOf(writer, path) !== undefined
}

/** Returns why a field of a writer's schema, or all that is in it, is no column, if the schema says so. */
export function columnFaultOf({ columnFaults = [] }: WriterSchema, path: string): string | undefined {
  const folded = path.toLowerCase()
  const fault = columnFaults.find((one) => isWithin(pathOf(one), folded) || isWithin(folded, pathOf(one)))
  return fault?.message
}

/** Says why fields of a message can be no columns. */
export function blockedText(blocked: readonly UnknownField[], writer: WriterSchema | undefined): string {
  const paths = blocked.map(({ path }) => path).join(', ')
  const fault = writer && columnFaultOf(writer, blocked[0]?.path ?? '')
  if (fault !== undefined) return `${paths}: cannot become a column: ${fault}`
  return `${paths}: cannot become a column, because of its name or the number of columns`
}

/** Returns true when a field with a value is none that the writer's schema describes. */
export function hasUndescribed(fields: readonly UnknownField[], writer: WriterSchema): boolean {
  return fields.some((field) => hasValue(field) && !describesField(writer, field.path))
}

/** Returns true when a field has a value that calls for a column. */
export function hasValue({ value }: Pick<UnknownField, 'value'>): boolean {
  return inferType(value) !== undefined
}

/** Returns the path of a fault as messages have it. */
function pathOf({ path }: { readonly path: readonly string[] }): string {
  const steps = path.map((step) => (step === 'items' ? 'element' : step === 'values' ? 'value' : step))
  return steps.join('.').toLowerCase()
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`)
}

class WriterExtension {
  readonly #rules: WriterColumnRules
  #fieldsLeft: number
  isWidened = false

  constructor(rules: WriterColumnRules) {
    this.#rules = rules
    this.#fieldsLeft = rules.fieldsMax
  }

  struct(type: StructType, writer: StructType, isRoot = false): StructType {
    const { byName, byLowerCaseName } = fieldNamesOf(type)
    const changed = new Map<StructField, StructField>()
    const added = new Map<string, StructField>()
    for (const field of writer.fields) {
      const folded = field.name.toLowerCase()
      if (isRoot && this.#rules.isHidden(folded)) continue
      const present = byName.get(field.name) ?? byLowerCaseName.get(folded)
      if (present === undefined) {
        const made = added.has(folded) ? undefined : this.#add(field)
        if (made !== undefined) added.set(folded, made)
        continue
      }
      const next = this.#type(present.type, field.type, columnOriginOf(present) === 'messages')
      if (next !== present.type) changed.set(present, { ...present, type: next })
    }
    if (changed.size === 0 && added.size === 0) return type
    return {
      type: 'struct',
      fields: [...type.fields.map((field) => changed.get(field) ?? field), ...added.values()],
    }
  }

  #add({ name, type, metadata }: StructField): StructField | undefined {
    if (!isColumnName(name)) return undefined
    const made = columnTypeOf(type)
    if (made === undefined) return undefined
    const count = 1 + countFields(made)
    if (count > this.#fieldsLeft) return undefined
    this.#fieldsLeft -= count
    return describedField(name, made, metadata)
  }

  #type(type: DataType, writer: DataType, isGuessed: boolean): DataType {
    if (typeof type === 'string' || typeof writer === 'string') {
      // No table has a type that only messages showed so far.
      if (isGuessed) return mergeTypes(type, columnTypeOf(writer) ?? type)
      if (!this.#rules.widens || !isWider(typeName(type), typeName(writer))) return type
      this.isWidened = true
      return writer
    }
    if (type.type === 'struct') return writer.type === 'struct' ? this.struct(type, writer) : type
    if (type.type === 'array') {
      if (writer.type !== 'array') return type
      const elementType = this.#type(type.elementType, writer.elementType, isGuessed)
      return elementType === type.elementType ? type : { ...type, elementType }
    }
    if (writer.type !== 'map' || typeName(type.keyType) !== typeName(writer.keyType)) return type
    const valueType = this.#type(type.valueType, writer.valueType, isGuessed)
    return valueType === type.valueType ? type : { ...type, valueType }
  }
}

/** Returns the type with nullable fields and without those that no table can have; undefined when none are left. */
function columnTypeOf(type: DataType): DataType | undefined {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'array': {
      const elementType = columnTypeOf(type.elementType)
      return elementType && { type: 'array', elementType, containsNull: true }
    }
    case 'map': {
      const valueType = columnTypeOf(type.valueType)
      return valueType && { type: 'map', keyType: type.keyType, valueType, valueContainsNull: true }
    }
    case 'struct': {
      const names = new Set<string>()
      const fields = type.fields.flatMap((field): StructField[] => {
        const folded = field.name.toLowerCase()
        const inner = isColumnName(field.name) && !names.has(folded) ? columnTypeOf(field.type) : undefined
        names.add(folded)
        return inner === undefined ? [] : [{ ...field, type: inner, nullable: true }]
      })
      return fields.length === 0 ? undefined : { type: 'struct', fields }
    }
  }
}
