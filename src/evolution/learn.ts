import { canName, typeOfValue, unite } from '../contract/columns/infer.ts'
import { Exact } from '../core/exact.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { namesOf } from './fit.ts'
import { originOf, shownField } from './known.ts'

/** What bounds learning. */
export interface LearnRules {
  /** Fields, at any depth, that may be learned still. */
  readonly fieldsMax: number
  /** Whether a column of the table, by its name in lower case, is filled by others than the messages. */
  readonly hidden: (folded: string) => boolean
}

/**
 * The columns with those that a message shows beside them, last in their struct; the very same where it shows none. The
 * type of a column that only messages have shown grows with their values; that of any other does not. What cannot become
 * a column is left out: names that no table takes, and more than `fieldsMax`.
 */
export function learn(schema: StructType, row: object, rules: LearnRules): StructType {
  const pass = new Pass(rules)
  return pass.struct(schema, row, true)
}

/** Fields of a type, at any depth. */
export function fieldCount(type: DataType): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'struct':
      return type.fields.reduce((sum, field) => sum + 1 + fieldCount(field.type), 0)
    case 'array':
      return fieldCount(type.elementType)
    case 'map':
      return fieldCount(type.valueType)
  }
}

class Pass {
  readonly #rules: LearnRules
  #left: number

  constructor(rules: LearnRules) {
    this.#rules = rules
    this.#left = rules.fieldsMax
  }

  struct(type: StructType, value: object, isRoot = false): StructType {
    const { exact, folded } = namesOf(type)
    const grown = new Map<StructField, StructField>()
    const added: StructField[] = []
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      if (inner === null) continue
      const field = exact.get(key) ?? folded.get(key.toLowerCase())
      if (field === undefined) this.#add(key, inner, added, isRoot)
      else {
        const next = this.#grown(field, inner)
        if (next !== field.type) grown.set(field, { ...field, type: next })
      }
    }
    if (grown.size === 0 && added.length === 0) return type
    return { type: 'struct', fields: [...type.fields.map((field) => grown.get(field) ?? field), ...added] }
  }

  #add(name: string, value: unknown, added: StructField[], isRoot: boolean): void {
    const folded = name.toLowerCase()
    if (!canName(name) || (isRoot && this.#rules.hidden(folded))) return
    if (added.some((field) => field.name.toLowerCase() === folded)) return
    const type = typeOfValue(value)
    if (type === undefined) return
    const count = 1 + fieldCount(type)
    if (count > this.#left) return
    this.#left -= count
    added.push(shownField(name, type))
  }

  #grown(field: StructField, value: unknown): DataType {
    if (originOf(field) !== 'messages') return this.#within(field.type, value)
    const shown = typeOfValue(value)
    const type = shown === undefined ? field.type : unite(field.type, shown)
    const more = fieldCount(type) - fieldCount(field.type)
    if (more > this.#left) return field.type
    this.#left -= Math.max(0, more)
    return type
  }

  #within(type: DataType, value: unknown): DataType {
    if (typeof type === 'string' || typeof value !== 'object' || value === null || value instanceof Exact)
      return type
    if (type.type === 'struct') return Array.isArray(value) ? type : this.struct(type, value)
    if (type.type === 'array') {
      if (!Array.isArray(value)) return type
      const elementType = this.#all(type.elementType, value)
      return elementType === type.elementType ? type : { ...type, elementType }
    }
    if (Array.isArray(value)) return type
    const valueType = this.#all(type.valueType, Object.values(value))
    return valueType === type.valueType ? type : { ...type, valueType }
  }

  #all(type: DataType, values: readonly unknown[]): DataType {
    if (typeof type === 'string') return type
    return values.reduce<DataType>((so, value) => this.#within(so, value), type)
  }
}
