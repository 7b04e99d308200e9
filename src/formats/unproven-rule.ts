import type { PlainContract, PlainValue } from '../contract/columns/plain.ts'

/** Describes the values that a reader of bytes appends to a column, as a contract would see them. */
export interface AppendedValues {
  /** The JSON types that all of these values have. */
  readonly json: readonly string[]
  /** The format that all of these values have, if they have one. */
  readonly format?: string
}

/** Members of a plain value that say what a value is, and are compared one by one. Every other member is a rule. */
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

/**
 * Returns the rule of a contract that a value may break, for people, or `undefined` when all values that the reader appends
 * obey the contract. Rules for fields, elements and entries are not looked at.
 */
export function unprovenRule(values: AppendedValues | undefined, rule: PlainValue): string | undefined {
  const { json, format } = rule
  if (json !== undefined && values?.json.includes(json) !== true) return `the contract expects ${json}`
  if (format !== undefined && format !== values?.format)
    return `the format ${format} is not proven by the type of the column`
  const members = Object.entries(rule)
  const found = members.find(([name, value]) => value !== undefined && !DESCRIPTIONS.has(name))
  return found && `the rule ${found[0]} is not proven by the type of the column`
}

/** Returns true when a contract has rules for an object beside those of its fields. */
export function hasOtherRules(contract: PlainContract | undefined): boolean {
  return Object.keys(contract ?? {}).some((name) => name !== 'fields' && name !== 'additionalProperties')
}
