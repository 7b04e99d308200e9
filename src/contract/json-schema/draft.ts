import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { AnySchemaObject, Options } from 'ajv'
import draft04 from 'ajv-draft-04'
import formats from 'ajv-formats'
import { DELTA_TYPE_KEYWORD } from './delta-type.ts'
import { isJsonObject, SUBSCHEMA_KEYWORDS } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** Lists the supported drafts of JSON Schema, oldest first. */
export const JSON_SCHEMA_DRAFTS = ['draft-04', 'draft-06', 'draft-07', '2019-09', '2020-12'] as const

/** Names a draft of JSON Schema. */
export type JsonSchemaDraft = (typeof JSON_SCHEMA_DRAFTS)[number]

/** Describes the part of ajv that contracts use. It is the same for every draft. */
export type SchemaValidator = Pick<
  Ajv,
  'addKeyword' | 'addSchema' | 'compile' | 'errors' | 'formats' | 'validateSchema'
>

const META_SCHEMA_URI =
  /^https?:\/\/json-schema\.org\/(draft-04|draft-06|draft-07|draft\/2019-09|draft\/2020-12)\/schema#?$/

/** The draft that introduced a keyword. Earlier drafts ignore it. */
const INTRODUCED_IN: Readonly<Record<string, JsonSchemaDraft>> = {
  $id: 'draft-06',
  const: 'draft-06',
  contains: 'draft-06',
  propertyNames: 'draft-06',
  if: 'draft-07',
  then: 'draft-07',
  else: 'draft-07',
  $anchor: '2019-09',
  $recursiveRef: '2019-09',
  $recursiveAnchor: '2019-09',
  dependentRequired: '2019-09',
  dependentSchemas: '2019-09',
  maxContains: '2019-09',
  minContains: '2019-09',
  unevaluatedItems: '2019-09',
  unevaluatedProperties: '2019-09',
  $dynamicAnchor: '2020-12',
  $dynamicRef: '2020-12',
  prefixItems: '2020-12',
}
/** The last draft in which a keyword has a meaning. */
const LAST_IN: Readonly<Record<string, JsonSchemaDraft>> = {
  id: 'draft-04',
  $recursiveRef: '2019-09',
  $recursiveAnchor: '2019-09',
  additionalItems: '2019-09',
}
/**
 * Keywords that do not validate and may accompany `$ref`. Before 2019-09 all other keywords next to `$ref` are
 * ignored.
 */
const IGNORED_BESIDE_REF = new Set(
  '$ref $schema $comment title description default examples readOnly writeOnly definitions $defs'.split(' '),
)

/** Returns the draft that `$schema` names, 2020-12 when it is absent, or `undefined` for an unknown draft. */
export function draftOf($schema: unknown): JsonSchemaDraft | undefined {
  if ($schema === undefined) return '2020-12'
  const name = typeof $schema === 'string' ? META_SCHEMA_URI.exec($schema)?.[1] : undefined
  return name?.replace('draft/', '') as JsonSchemaDraft | undefined
}

/** Returns the keyword that names a schema: `id` in draft-04, `$id` in later drafts. */
export function idKeywordOf(draft: JsonSchemaDraft): 'id' | '$id' {
  return draft === 'draft-04' ? 'id' : '$id'
}

/**
 * Returns a copy of a schema without the keywords that its draft does not know or ignores, so that every reader
 * interprets it the same way.
 */
export function keepDraftKeywords(schema: unknown, draft: JsonSchemaDraft, isRoot = true): unknown {
  if (!isJsonObject(schema)) return schema
  const refAlone = typeof schema['$ref'] === 'string' && isBefore(draft, '2019-09')
  const kept = Object.entries(schema).filter(([key]) => {
    if (!isKnown(key, draft)) return false
    const names = isRoot && key === idKeywordOf(draft)
    return !refAlone || names || IGNORED_BESIDE_REF.has(key) || key.startsWith('x-')
  })
  return Object.fromEntries(kept.map(([key, value]) => [key, part(key, value, draft)]))
}

function part(key: string, value: unknown, draft: JsonSchemaDraft): unknown {
  const { one, lists, named } = SUBSCHEMA_KEYWORDS
  if (lists.includes(key) && Array.isArray(value))
    return value.map((item) => keepDraftKeywords(item, draft, false))
  if (one.includes(key)) return keepDraftKeywords(value, draft, false)
  if (!named.includes(key) || !isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, keepDraftKeywords(item, draft, false)]),
  )
}

function isKnown(key: string, draft: JsonSchemaDraft): boolean {
  const since = Object.hasOwn(INTRODUCED_IN, key) ? INTRODUCED_IN[key] : undefined
  const until = Object.hasOwn(LAST_IN, key) ? LAST_IN[key] : undefined
  return !(since !== undefined && isBefore(draft, since)) && !(until !== undefined && isBefore(until, draft))
}

function isBefore(a: JsonSchemaDraft, b: JsonSchemaDraft): boolean {
  return JSON_SCHEMA_DRAFTS.indexOf(a) < JSON_SCHEMA_DRAFTS.indexOf(b)
}

const OPTIONS: Options = {
  // Schemas often carry keywords of other tools. Formats and types, which matter here, are checked separately.
  strict: false,
  strictNumbers: true,
  ownProperties: true,
  allErrors: false,
  // Errors then carry the value that violates the rule.
  verbose: true,
  // Documents are checked before, by the validator that all contracts share.
  validateSchema: false,
  // Faults are reported in an error, never on the console.
  logger: false,
}

/** The validator of each draft that checks documents against the meta-schema. */
const META_VALIDATORS = new Map<JsonSchemaDraft, SchemaValidator>()

/**
 * Returns the validator that checks documents of a draft against its meta-schema. The process has one per draft: compiling
 * a meta-schema takes longer than most contracts.
 */
export function metaValidatorOf(draft: JsonSchemaDraft): SchemaValidator {
  const known = META_VALIDATORS.get(draft) ?? createSchemaValidator(draft)
  META_VALIDATORS.set(draft, known)
  return known
}

/**
 * Returns a validator for contracts of a draft, with all formats of ajv-formats. It does not check what it compiles against
 * the meta-schema; `metaValidatorOf` does.
 */
export function createSchemaValidator(draft: JsonSchemaDraft): SchemaValidator {
  const ajv = new VALIDATOR_CLASSES[draft](OPTIONS)
  if (draft === 'draft-06') {
    const meta: unknown = createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json')
    ajv.addMetaSchema(meta as AnySchemaObject)
  }
  formats.default(ajv)
  ajv.addKeyword({ keyword: DELTA_TYPE_KEYWORD, schemaType: 'string' })
  return ajv
}

const VALIDATOR_CLASSES: Readonly<Record<JsonSchemaDraft, new (options: Options) => Ajv>> = {
  // The package exports a class of its own that extends the same base.
  'draft-04': draft04.default,
  'draft-06': Ajv,
  'draft-07': Ajv,
  '2019-09': Ajv2019,
  '2020-12': Ajv2020,
}

/** Returns the document with the `$schema` URI under which ajv knows its draft. */
export function withMetaSchema(schema: JsonSchema, draft: JsonSchemaDraft): JsonSchema {
  const path = draft.startsWith('draft-') ? draft : `draft/${draft}`
  const $schema = draft.startsWith('draft-')
    ? `http://json-schema.org/${path}/schema#`
    : `https://json-schema.org/${path}/schema`
  return { ...schema, $schema }
}
