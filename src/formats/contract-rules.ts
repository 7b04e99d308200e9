import type { PlainContract, PlainValue } from '../contract/columns/plain.ts'
import type { DataType } from '../core/schema.ts'

/** Describes the values that a reader of bytes appends to a column, as a contract would see them. */
export interface AppendedValues {
  /** The JSON types that all of these values have. */
  readonly json: readonly string[]
}

/** Members of a plain value that say what a value is. Readers of bytes obey them; every other member is a rule. */
const DESCRIPTIONS = new Set([
  'name',
  'required',
  'type',
  'nullable',
  'json',
  'format',
  'object',
  'items',
  'entries',
])

/** Column types of which every value has a format. */
const FORMAT_OF: Readonly<Record<string, string>> = { date: 'date', timestamp: 'date-time' }

/**
 * Returns why a contract refuses values that the reader appends, for people, or `undefined` when their type is the one that
 * the contract expects. Rules beyond the type are those of `contractHasRules`.
 */
export function unfitType(values: AppendedValues, { json }: PlainValue): string | undefined {
  return json === undefined || values.json.includes(json) ? undefined : `the contract expects ${json}`
}

/** Returns true when a contract has rules beyond types, presence and names of fields, which rows in columns must be checked by. */
export function contractHasRules(contract: PlainContract): boolean {
  return contractHasObjectRules(contract) || contract.fields.some(hasRules)
}

/** Returns true when a contract has rules for the object itself: which fields it has is part of them. */
export function contractHasObjectRules(contract: PlainContract | undefined): boolean {
  return Object.keys(contract ?? {}).some((name) => name !== 'fields' && name !== 'additionalProperties')
}

function hasRules(value: PlainValue): boolean {
  const { type, format, object, items, entries } = value
  if (format !== undefined && format !== formatOf(type)) return true
  const members = Object.entries(value)
  if (members.some(([name, member]) => member !== undefined && !DESCRIPTIONS.has(name))) return true
  if (object !== undefined && contractHasRules(object)) return true
  return (items !== undefined && hasRules(items)) || (entries !== undefined && hasRules(entries))
}

function formatOf(type: DataType): string | undefined {
  return typeof type === 'string' ? FORMAT_OF[type] : undefined
}
