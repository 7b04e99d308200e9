import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { AnySchemaObject, Options } from 'ajv'
import draft04 from 'ajv-draft-04'
import formats from 'ajv-formats'
import { DELTA_TYPE } from './delta-type.ts'
import { isObject, JSON_SCHEMA_PARTS } from './json-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** The drafts of JSON Schema, oldest first. */
export const DRAFTS = ['draft-04', 'draft-06', 'draft-07', '2019-09', '2020-12'] as const

/** A draft of JSON Schema. */
export type Draft = (typeof DRAFTS)[number]

/** The part of ajv that contracts need, the same for every draft. */
export type Checker = Pick<
  Ajv,
  'addKeyword' | 'addSchema' | 'compile' | 'errors' | 'formats' | 'validateSchema'
>

const META =
  /^https?:\/\/json-schema\.org\/(draft-04|draft-06|draft-07|draft\/2019-09|draft\/2020-12)\/schema#?$/

/** Keywords that a draft brought; before it they say nothing. */
const SINCE: Readonly<Record<string, Draft>> = {
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
/** The last draft in which a keyword says something. */
const UNTIL: Readonly<Record<string, Draft>> = {
  id: 'draft-04',
  $recursiveRef: '2019-09',
  $recursiveAnchor: '2019-09',
  additionalItems: '2019-09',
}
/** What stands beside a `$ref` without checking anything; before 2019-09 all else beside it is ignored. */
const BESIDE_REF = new Set(
  '$ref $schema $comment title description default examples readOnly writeOnly definitions $defs'.split(' '),
)

/** The draft that `$schema` names, 2020-12 where it is absent; `undefined` for any other. */
export function draftOf($schema: unknown): Draft | undefined {
  if ($schema === undefined) return '2020-12'
  const name = typeof $schema === 'string' ? META.exec($schema)?.[1] : undefined
  return name?.replace('draft/', '') as Draft | undefined
}

/** The keyword that names a schema: `id` in draft-04, `$id` since. */
export function idKeyword(draft: Draft): 'id' | '$id' {
  return draft === 'draft-04' ? 'id' : '$id'
}

/** A copy of a schema that says the same to every reader: without keywords that its draft does not know or ignores. */
export function readable(schema: unknown, draft: Draft, isRoot = true): unknown {
  if (!isObject(schema)) return schema
  const refAlone = typeof schema['$ref'] === 'string' && isBefore(draft, '2019-09')
  const kept = Object.entries(schema).filter(([key]) => {
    if (!isKnown(key, draft)) return false
    const names = isRoot && key === idKeyword(draft)
    return !refAlone || names || BESIDE_REF.has(key) || key.startsWith('x-')
  })
  return Object.fromEntries(kept.map(([key, value]) => [key, part(key, value, draft)]))
}

function part(key: string, value: unknown, draft: Draft): unknown {
  const { one, lists, named } = JSON_SCHEMA_PARTS
  if (lists.includes(key) && Array.isArray(value)) return value.map((item) => readable(item, draft, false))
  if (one.includes(key)) return readable(value, draft, false)
  if (!named.includes(key) || !isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readable(item, draft, false)]))
}

function isKnown(key: string, draft: Draft): boolean {
  const since = Object.hasOwn(SINCE, key) ? SINCE[key] : undefined
  const until = Object.hasOwn(UNTIL, key) ? UNTIL[key] : undefined
  return !(since !== undefined && isBefore(draft, since)) && !(until !== undefined && isBefore(until, draft))
}

function isBefore(a: Draft, b: Draft): boolean {
  return DRAFTS.indexOf(a) < DRAFTS.indexOf(b)
}

const OPTIONS: Options = {
  // Schemas in the wild carry keywords of other tools; what matters to us, formats and types, is checked by us.
  strict: false,
  strictNumbers: true,
  ownProperties: true,
  allErrors: false,
  // Errors carry the value that broke the rule.
  verbose: true,
  // The faults are listed in an error; nothing may go to the console.
  logger: false,
}

/** A checker of records for contracts of a draft, with all formats of ajv-formats. */
export function checkerFor(draft: Draft): Checker {
  const ajv = new CLASSES[draft](OPTIONS)
  if (draft === 'draft-06') {
    const meta: unknown = createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json')
    ajv.addMetaSchema(meta as AnySchemaObject)
  }
  formats.default(ajv)
  ajv.addKeyword({ keyword: DELTA_TYPE, schemaType: 'string' })
  return ajv
}

const CLASSES: Readonly<Record<Draft, new (options: Options) => Ajv>> = {
  // Its class is that of ajv under another name.
  'draft-04': draft04.default,
  'draft-06': Ajv,
  'draft-07': Ajv,
  '2019-09': Ajv2019,
  '2020-12': Ajv2020,
}

/** The document as a schema of its draft by the name that ajv knows the draft by. */
export function withMeta(schema: JsonSchema, draft: Draft): JsonSchema {
  const path = draft.startsWith('draft-') ? draft : `draft/${draft}`
  const $schema = draft.startsWith('draft-')
    ? `http://json-schema.org/${path}/schema#`
    : `https://json-schema.org/${path}/schema`
  return { ...schema, $schema }
}
