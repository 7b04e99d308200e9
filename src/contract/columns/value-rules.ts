import type { PlainContract, PlainValue } from './plain.ts'
import type { PlainRules, ScalarValue } from '../rules/rules.ts'
import { INVALID, nullVerdict, VALID } from '../rules/verdict.ts'

/** Returns all rules of an object, those of its fields included. */
export function rulesOfObject({ fields, additionalProperties, rules }: PlainContract): PlainRules {
  const required = fields.filter((field) => field.required).map(({ name }) => name)
  return {
    types: ['object'],
    properties: fields.map((field) => ({ name: field.name, rules: rulesOfValue(field) })),
    ...(required.length === 0 ? {} : { required }),
    ...(additionalProperties ? {} : { additional: { never: true } }),
    ...(rules === undefined ? {} : { allOf: [rules] }),
  }
}

/** Returns all rules of a value, those of its parts included. */
function rulesOfValue(value: PlainValue): PlainRules {
  const { json, nullable, format, enum: texts, object, items, entries, rules } = value
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength } = value
  const bounds = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength }
  const set = Object.entries(bounds).filter(([, bound]) => bound !== undefined)
  const values: readonly ScalarValue[] | undefined = texts && [...texts, ...(nullable ? [null] : [])]
  const parts = [
    ...(rules === undefined ? [] : [rules]),
    ...(object === undefined ? [] : [rulesOfObject(object)]),
  ]
  const own: PlainRules = {
    ...(Object.fromEntries(set) as PlainRules),
    ...(json === undefined ? {} : { types: nullable ? [json, 'null'] : [json] }),
    ...(values === undefined ? {} : { values }),
    ...(format === undefined ? {} : { format }),
    ...(items === undefined ? {} : { items: rulesOfValue(items) }),
    ...(entries === undefined ? {} : { additional: rulesOfValue(entries) }),
    ...(parts.length === 0 ? {} : { allOf: parts }),
  }
  const verdict = nullVerdict(own)
  if (nullable) return verdict === VALID ? own : { anyOf: [{ types: ['null'] }, own] }
  return verdict === INVALID ? own : { ...own, not: { types: ['null'] } }
}
