import { extendPointer, isJsonObject } from '../json-schema/json-schema.ts'
import { DELTA_TYPE_KEYWORD } from '../json-schema/delta-type.ts'
import type { JsonSchema, JsonSchemaFault, JsonType } from '../json-schema/json-schema.ts'
import type { SchemaReferences } from '../json-schema/references.ts'

/** A value that a rule compares with: of any JSON type but object and array. */
export type ScalarValue = string | number | boolean | null

/**
 * Holds the assertions of one JSON Schema as data, references included; a value obeys all of them. An absent assertion
 * accepts every value. As in JSON Schema, an assertion about one type accepts values of other types.
 */
export interface PlainRules {
  /** True for the schema `false`, which accepts no value. */
  readonly never?: true
  readonly types?: readonly (JsonType | 'null')[]
  /** The values of `enum` or `const`. */
  readonly values?: readonly ScalarValue[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  /** In Unicode code points, as `maxLength`. */
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: true
  readonly items?: PlainRules
  readonly required?: readonly string[]
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly properties?: readonly NamedRules[]
  /** Rules for properties that `properties` does not name. */
  readonly additional?: PlainRules
  /** Rules for the names of all properties. */
  readonly names?: PlainRules
  /** Properties that must be present beside the property `name`. */
  readonly dependentRequired?: readonly { readonly name: string; readonly required: readonly string[] }[]
  /** Rules for the whole object when the property `name` is present. */
  readonly dependentRules?: readonly NamedRules[]
  readonly allOf?: readonly PlainRules[]
  readonly anyOf?: readonly PlainRules[]
  readonly oneOf?: readonly PlainRules[]
  readonly not?: PlainRules
  readonly condition?: {
    readonly if: PlainRules
    readonly then: PlainRules | undefined
    readonly else: PlainRules | undefined
  }
}

/** Holds rules with the name of the property that they concern. */
export interface NamedRules {
  readonly name: string
  readonly rules: PlainRules
}

/** Holds what a conversion of schemas to rules needs, and collects the keywords that have no plain form. */
export interface RuleWalk {
  readonly references: SchemaReferences
  readonly faults: JsonSchemaFault[]
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const
const SIZES = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const
const TEXTS = ['pattern', 'format'] as const
const ONES = {
  items: 'items',
  additionalProperties: 'additional',
  propertyNames: 'names',
  not: 'not',
} as const
const ANNOTATIONS = new Set(
  (
    'title description $comment default examples example deprecated readOnly writeOnly $schema $id id $defs definitions ' +
    `contentEncoding contentMediaType $anchor $dynamicAnchor $recursiveAnchor ${DELTA_TYPE_KEYWORD}`
  ).split(' '),
)
/** Levels of schemas within each other, references included, that are followed. */
const DEPTH_MAX = 32

/** Returns true for keywords that annotate and do not validate. */
export function isAnnotation(key: string): boolean {
  return ANNOTATIONS.has(key) || key.startsWith('x-')
}

/**
 * Returns the rules of `schema` without the keywords `done`, which are expressed elsewhere. Adds a fault for each keyword
 * that has no plain form, at the JSON pointer `at` of the schema.
 */
export function rulesOfSchema(
  schema: unknown,
  at: string,
  walk: RuleWalk,
  done: ReadonlySet<string> = new Set(),
  depth = 0,
): PlainRules {
  if (schema === false) return { never: true }
  if (!isJsonObject(schema)) return {}
  if (depth > DEPTH_MAX) {
    walk.faults.push({ at, message: 'schemas that nest deeply or refer to themselves have no plain form' })
    return {}
  }
  const rules: Mutable<PlainRules> = {}
  const below = (inner: unknown, ...steps: string[]): PlainRules =>
    rulesOfSchema(inner, extendPointer(at, ...steps), walk, undefined, depth + 1)
  for (const [key, value] of Object.entries(schema))
    if (!done.has(key) && !isAnnotation(key) && !addRule(rules, key, value, schema, below, walk))
      walk.faults.push({
        at: extendPointer(at, key),
        message: `${JSON.stringify(key)} in this form can only be checked on objects`,
      })
  return makeExclusive(rules, schema)
}

type Below = (inner: unknown, ...steps: string[]) => PlainRules

/** Adds the rule of one keyword. Returns false when it has no plain form. */
function addRule(
  rules: Mutable<PlainRules>,
  key: string,
  value: unknown,
  schema: JsonSchema,
  below: Below,
  walk: RuleWalk,
): boolean {
  if (isOneOf(key, NUMBERS)) {
    if (typeof value === 'number') rules[key] = value
    return true
  }
  if (isOneOf(key, SIZES)) {
    rules[key] = value as number
    return true
  }
  if (isOneOf(key, TEXTS)) {
    rules[key] = value as string
    return true
  }
  if (key === 'allOf' || key === 'anyOf' || key === 'oneOf') {
    const list = (value as unknown[]).map((item, index) => below(item, key, String(index)))
    rules[key] = [...(rules[key] ?? []), ...list]
    return true
  }
  if (key === 'items' || key === 'additionalProperties' || key === 'propertyNames' || key === 'not') {
    if (Array.isArray(value)) return false
    const inner = below(value, key)
    if (Object.keys(inner).length > 0 || key === 'not') rules[ONES[key]] = inner
    return true
  }
  return addValueRule(rules, key, value, schema) || addObjectRule(rules, key, value, schema, below, walk)
}

function addValueRule(rules: Mutable<PlainRules>, key: string, value: unknown, schema: JsonSchema): boolean {
  switch (key) {
    case 'type': {
      const types = [value].flat() as (JsonType | 'null')[]
      rules.types = schema['nullable'] === true && !types.includes('null') ? [...types, 'null'] : types
      return true
    }
    case 'nullable':
      return true
    case 'const':
    case 'enum': {
      const values = (key === 'const' ? [value] : value) as unknown[]
      if (!values.every(isScalar)) return false
      if (rules.values === undefined) rules.values = values
      else rules.allOf = [...(rules.allOf ?? []), { values }]
      return true
    }
    case 'uniqueItems':
      if (value === true) rules.uniqueItems = true
      return true
    default:
      return false
  }
}

function addObjectRule(
  rules: Mutable<PlainRules>,
  key: string,
  value: unknown,
  schema: JsonSchema,
  below: Below,
  { references }: RuleWalk,
): boolean {
  switch (key) {
    case '$ref': {
      const target = references.resolve(schema, value as string)
      if (target === undefined) return false
      rules.allOf = [...(rules.allOf ?? []), below(target.schema, key)]
      return true
    }
    case 'required':
      // In draft-03 it was a flag of the property.
      if (!Array.isArray(value)) return false
      rules.required = value as string[]
      return true
    case 'properties':
      rules.properties = Object.entries(value as JsonSchema).map(([name, inner]) => ({
        name,
        rules: below(inner, key, name),
      }))
      return true
    case 'dependencies':
    case 'dependentRequired':
    case 'dependentSchemas':
      addDependencies(rules, key, value as JsonSchema, below)
      return true
    case 'if':
      rules.condition = {
        if: below(value, key),
        then: schema['then'] === undefined ? undefined : below(schema['then'], 'then'),
        else: schema['else'] === undefined ? undefined : below(schema['else'], 'else'),
      }
      return true
    case 'then':
    case 'else':
      return true
    default:
      return false
  }
}

function addDependencies(rules: Mutable<PlainRules>, key: string, value: JsonSchema, below: Below): void {
  for (const [name, inner] of Object.entries(value)) {
    if (Array.isArray(inner))
      rules.dependentRequired = [...(rules.dependentRequired ?? []), { name, required: inner as string[] }]
    else rules.dependentRules = [...(rules.dependentRules ?? []), { name, rules: below(inner, key, name) }]
  }
}

/** In draft-04 a flag makes the limit exclusive. */
function makeExclusive(rules: Mutable<PlainRules>, schema: JsonSchema): PlainRules {
  if (schema['exclusiveMinimum'] === true && rules.minimum !== undefined) {
    rules.exclusiveMinimum = rules.minimum
    delete rules.minimum
  }
  if (schema['exclusiveMaximum'] === true && rules.maximum !== undefined) {
    rules.exclusiveMaximum = rules.maximum
    delete rules.maximum
  }
  return rules
}

function isScalar(value: unknown): value is ScalarValue {
  return value === null || typeof value !== 'object'
}

function isOneOf<T extends string>(key: string, list: readonly T[]): key is T {
  return (list as readonly string[]).includes(key)
}
