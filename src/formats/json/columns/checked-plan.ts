import { bytesTestOf, numberRuleOf, type NumberRule } from '../../../contract/columns/column-scalars.ts'
import type { PlainRules } from '../../../contract/rules/rules.ts'
import type { TextRule } from '../../../contract/rules/text-rules.ts'
import { verdictOf, type Verdict } from '../../../contract/rules/verdict.ts'

/** Holds rules in the form in which they are checked on JSON bytes. */
export interface CheckedRules {
  /** The verdict on values of a type for which there are no further rules. */
  readonly ofNull: Verdict
  readonly ofTrue: Verdict
  readonly ofFalse: Verdict
  readonly ofText: Verdict
  readonly ofNumber: Verdict
  readonly ofObject: Verdict
  readonly ofArray: Verdict
  readonly text: TextRule | undefined
  readonly number: NumberRule | undefined
  readonly array: CheckedArray | undefined
  readonly object: CheckedObject | undefined
  readonly allOf: readonly CheckedRules[]
  readonly anyOf: readonly CheckedRules[] | undefined
  readonly oneOf: readonly CheckedRules[] | undefined
  readonly not: CheckedRules | undefined
  readonly condition: CheckedCondition | undefined
}

/** Holds the rules for arrays. */
export interface CheckedArray {
  readonly items: CheckedRules | undefined
  readonly sizeMin: number
  readonly sizeMax: number
  readonly isUnique: boolean
}

/** Holds the rules for objects. */
export interface CheckedObject {
  /** The names that rules mention, as bytes without quotes, followed by those of columns. */
  readonly names: readonly Uint8Array[]
  /** Rules for the property of each name; absent for names that only other rules mention. */
  readonly rules: readonly (CheckedRules | undefined)[]
  /** True for names that `additional` does not concern. */
  readonly isNamed: readonly boolean[]
  /** Positions of the properties in the object that is read, -1 for absent ones. */
  readonly found: Int32Array
  readonly required: readonly number[]
  readonly dependent: readonly { readonly on: number; readonly required: number }[]
  readonly dependentRules: readonly { readonly on: number; readonly rules: CheckedRules }[]
  readonly additional: CheckedRules | undefined
  readonly key: CheckedRules | undefined
  readonly sizeMin: number
  readonly sizeMax: number
}

/** Holds a conditional. */
export interface CheckedCondition {
  readonly if: CheckedRules
  readonly then: CheckedRules | undefined
  readonly else: CheckedRules | undefined
}

/** Returns rules in the form in which they are checked on bytes. `columns` are names that occur at most once. */
export function checkedRulesOf(rules: PlainRules, columns: readonly string[] = []): CheckedRules {
  const { never, types, values, not, condition } = rules
  const allows = (...names: readonly string[]): boolean =>
    never === undefined && (types === undefined || names.some((name) => (types as string[]).includes(name)))
  const inner = (part: PlainRules): CheckedRules => checkedRulesOf(part, columns)
  return {
    ofNull: verdictOf(allows('null') && (values === undefined || values.includes(null))),
    ofTrue: verdictOf(allows('boolean') && (values === undefined || values.includes(true))),
    ofFalse: verdictOf(allows('boolean') && (values === undefined || values.includes(false))),
    ofText: verdictOf(allows('string')),
    ofNumber: verdictOf(allows('number', 'integer')),
    // Values of `enum` and `const` are scalars here, which no object or array equals.
    ofObject: verdictOf(allows('object') && values === undefined),
    ofArray: verdictOf(allows('array') && values === undefined),
    text: bytesTestOf(rules),
    number: numberRuleOf(rules, undefined),
    array: arrayOf(rules),
    object: objectOf(rules, columns),
    allOf: (rules.allOf ?? []).map(inner),
    anyOf: rules.anyOf?.map(inner),
    oneOf: rules.oneOf?.map(inner),
    not: not && inner(not),
    condition: condition && {
      if: inner(condition.if),
      then: condition.then && inner(condition.then),
      else: condition.else && inner(condition.else),
    },
  }
}

function arrayOf({ items, minItems, maxItems, uniqueItems }: PlainRules): CheckedArray | undefined {
  if (items === undefined && minItems === undefined && maxItems === undefined && uniqueItems === undefined)
    return undefined
  return {
    items: items && checkedRulesOf(items),
    sizeMin: minItems ?? 0,
    sizeMax: maxItems ?? Infinity,
    isUnique: uniqueItems === true,
  }
}

function objectOf(rules: PlainRules, columns: readonly string[]): CheckedObject | undefined {
  const { properties = [], required = [], dependentRequired = [], dependentRules = [] } = rules
  const { additional, names: key, minProperties, maxProperties } = rules
  const mentioned = [
    ...properties.map(({ name }) => name),
    ...required,
    ...dependentRequired.flatMap(({ name, required: others }) => [name, ...others]),
    ...dependentRules.map(({ name }) => name),
  ]
  const isCounted = minProperties !== undefined || maxProperties !== undefined
  if (mentioned.length === 0 && additional === undefined && key === undefined && !isCounted) return undefined
  const names = [...new Set([...mentioned, ...(isCounted ? columns : [])])]
  const indexOf = (name: string): number => names.indexOf(name)
  const propertyOf = (name: string): PlainRules | undefined =>
    properties.find((property) => property.name === name)?.rules
  return {
    names: names.map((name) => Buffer.from(name)),
    rules: names.map((name) => {
      const own = propertyOf(name)
      return own && Object.keys(own).length > 0 ? checkedRulesOf(own) : undefined
    }),
    isNamed: names.map((name) => propertyOf(name) !== undefined),
    found: new Int32Array(names.length),
    required: required.map(indexOf),
    dependent: dependentRequired.flatMap(({ name, required: others }) =>
      others.map((other) => ({ on: indexOf(name), required: indexOf(other) })),
    ),
    dependentRules: dependentRules.map(({ name, rules: own }) => ({
      on: indexOf(name),
      rules: checkedRulesOf(own, columns),
    })),
    additional: additional && checkedRulesOf(additional),
    key: key && checkedRulesOf(key),
    sizeMin: minProperties ?? 0,
    sizeMax: maxProperties ?? Infinity,
  }
}
