import { isColumnName, inferType, mergeTypes } from '../contract/columns/infer.ts'
import { isObjectOrArray } from '../core/exact.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { fieldNamesOf } from './coerce-message.ts'
import { columnOriginOf, inferredField } from './table-columns.ts'

/** Describes the limits of inferring new columns. */
interface NewColumnRules {
  /** Fields, at any depth, that may still be added. */
  readonly fieldsMax: number
  /** Decides whether a column of the table, by its lower-case name, is filled by something other than the messages. */
  readonly isHidden: (folded: string) => boolean
}

/**
 * Returns the columns together with those that a message adds, last in their struct, or the same object when it adds
 * none. Only the type of a column inferred from messages widens with their values. Fields beyond `fieldsMax`, or with
 * names that a table cannot have, are left out.
 */
export function inferNewColumns(schema: StructType, row: object, rules: NewColumnRules): StructType {
  const inference = new NewColumnInference(rules)
  return inference.struct(schema, row, true)
}

/** Returns the number of fields of a type, at any depth. */
export function countFields(type: DataType): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'struct':
      return type.fields.reduce((sum, field) => sum + 1 + countFields(field.type), 0)
    case 'array':
      return countFields(type.elementType)
    case 'map':
      return countFields(type.valueType)
  }
}

class NewColumnInference {
  readonly #rules: NewColumnRules
  #fieldsLeft: number

  constructor(rules: NewColumnRules) {
    this.#rules = rules
    this.#fieldsLeft = rules.fieldsMax
  }

  struct(type: StructType, value: object, isRoot = false): StructType {
    const { byName, byLowerCaseName } = fieldNamesOf(type)
    const widened = new Map<StructField, StructField>()
    const added: StructField[] = []
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      if (inner === null) continue
      const field = byName.get(key) ?? byLowerCaseName.get(key.toLowerCase())
      if (field === undefined) this.#add(key, inner, added, isRoot)
      else {
        const next = this.#widen(field, inner)
        if (next !== field.type) widened.set(field, { ...field, type: next })
      }
    }
    if (widened.size === 0 && added.length === 0) return type
    return { type: 'struct', fields: [...type.fields.map((field) => widened.get(field) ?? field), ...added] }
  }

  #add(name: string, value: unknown, added: StructField[], isRoot: boolean): void {
    const folded = name.toLowerCase()
    if (!isColumnName(name) || (isRoot && this.#rules.isHidden(folded))) return
    if (added.some((field) => field.name.toLowerCase() === folded)) return
    const type = inferType(value)
    if (type === undefined) return
    const count = 1 + countFields(type)
    if (count > this.#fieldsLeft) return
    this.#fieldsLeft -= count
    added.push(inferredField(name, type))
  }

  #widen(field: StructField, value: unknown): DataType {
    if (columnOriginOf(field) !== 'messages') return this.#extend(field.type, value)
    const seen = inferType(value)
    const type = seen === undefined ? field.type : mergeTypes(field.type, seen)
    const more = countFields(type) - countFields(field.type)
    if (more > this.#fieldsLeft) return field.type
    this.#fieldsLeft -= Math.max(0, more)
    return type
  }

  #extend(type: DataType, value: unknown): DataType {
    if (typeof type === 'string' || !isObjectOrArray(value)) return type
    if (type.type === 'struct') return Array.isArray(value) ? type : this.struct(type, value)
    if (type.type === 'array') {
      if (!Array.isArray(value)) return type
      const elementType = this.#extendByAll(type.elementType, value)
      return elementType === type.elementType ? type : { ...type, elementType }
    }
    if (Array.isArray(value)) return type
    const valueType = this.#extendByAll(type.valueType, Object.values(value))
    return valueType === type.valueType ? type : { ...type, valueType }
  }

  #extendByAll(type: DataType, values: readonly unknown[]): DataType {
    if (typeof type === 'string') return type
    return values.reduce<DataType>((extended, value) => this.#extend(extended, value), type)
  }
}
