import type { ErrorObject, ValidateFunction } from 'ajv'
import { messageOf } from '../../core/errors.ts'
import { toPlainNumbers } from '../../core/exact.ts'
import { describeValidationError } from './describe.ts'
import {
  createSchemaValidator,
  idKeywordOf,
  metaValidatorOf,
  withMetaSchema,
  type SchemaValidator,
  type JsonSchemaDraft,
} from './draft.ts'
import { isJsonObject, SUBSCHEMA_KEYWORDS, extendPointer, subschemas } from './json-schema.ts'
import type { JsonSchemaFault, JsonSchema } from './json-schema.ts'
import type { ContractDocument, SchemaReferences } from './references.ts'

/**
 * Keywords under which a value could pass only because ajv does not see it as a number. With these, exact numbers are
 * converted to plain numbers first.
 */
const NEGATIONS = ['not', 'if', 'oneOf', 'contains', 'dependentSchemas']

/** Keywords for numbers, which ajv does not apply to exact numbers. */
const NUMBER_RULES = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']

/** Validates one row. Returns `undefined` when it is valid, otherwise one line with the reason. Never throws. */
export type RowCheck = (row: unknown) => string | undefined

/**
 * Compiles a contract and the documents it refers to into one function, or returns every fault that prevents it.
 * Formats are asserted.
 */
export function compileContract(
  references: SchemaReferences,
  draft: JsonSchemaDraft,
): { readonly check: RowCheck | undefined; readonly faults: readonly JsonSchemaFault[] } {
  const checker = createSchemaValidator(draft)
  const faults = references.documents.flatMap((document) => documentFaults(document, draft))
  if (faults.length > 0) return { check: undefined, faults }
  try {
    const [root, ...others] = references.documents.map(({ schema }) =>
      withAbsoluteReferences(schema, references, draft),
    )
    for (const other of others) checker.addSchema(other, undefined, false, false)
    const validate = checker.compile(root as JsonSchema)
    const plainFirst = references.documents.some(({ schema }) =>
      [...subschemas(schema)].some((each) => needsPlainNumbers(each.schema)),
    )
    return { check: checkWith(validate, plainFirst), faults }
  } catch (error) {
    // The caller names the fault of a contract that nests too deeply.
    if (error instanceof RangeError) throw error
    return { check: undefined, faults: [{ at: '', message: messageOf(error) }] }
  }
}

/**
 * Returns true when a value could pass these rules only because ajv does not see it as a number. An exact number never
 * has the type of a number, so that rules beside such a type alone are safe.
 */
function needsPlainNumbers(schema: JsonSchema): boolean {
  const has = (key: string): boolean => Object.hasOwn(schema, key)
  if (NEGATIONS.some(has)) return true
  const types: readonly unknown[] = [schema['type']].flat()
  // An exact number is an object to ajv.
  if (types.includes('object') && types.length > 1 && types.some(isNumberType)) return true
  return NUMBER_RULES.some(has) && !types.every((type) => isNumberType(type) || type === 'null')
}

function isNumberType(type: unknown): boolean {
  return type === 'number' || type === 'integer'
}

function checkWith(validate: ValidateFunction, plainFirst: boolean): RowCheck {
  return (row) => {
    try {
      if (validate(plainFirst ? toPlainNumbers(row) : row)) return undefined
      // Numbers that a double cannot hold are not numbers to ajv. Only rows that contain such numbers are validated a
      // second time.
      const plain = plainFirst ? row : toPlainNumbers(row)
      if (plain !== row && validate(plain)) return undefined
      return describeValidationError(validate.errors?.[0] as ErrorObject)
    } catch (error) {
      // For example, comparing a deeply nested value exhausts the stack. The row is at fault, not the service.
      return `/ could not be checked: ${messageOf(error)}`
    }
  }
}

function documentFaults({ name, schema }: ContractDocument, draft: JsonSchemaDraft): JsonSchemaFault[] {
  const checker = metaValidatorOf(draft)
  const at = name === '' ? '' : `${name}#`
  const faults = formatFaults(schema, at, checker)
  try {
    if (checker.validateSchema(withMetaSchema(schema, draft)) !== true) {
      const errors = checker.errors ?? []
      faults.push(
        ...errors.map((error) => ({ at: at + error.instancePath, message: error.message ?? 'is wrong' })),
      )
    }
  } catch (error) {
    faults.push({ at, message: messageOf(error) })
  }
  return faults
}

function formatFaults(schema: JsonSchema, document: string, { formats }: SchemaValidator): JsonSchemaFault[] {
  const faults: JsonSchemaFault[] = []
  for (const each of subschemas(schema, document)) {
    const format = each.schema['format']
    if (typeof format === 'string' && !Object.hasOwn(formats, format)) {
      const message = `the format ${JSON.stringify(format)} is unknown`
      faults.push({ at: extendPointer(each.at, 'format'), message })
    }
  }
  return faults
}

/** Returns a document with absolute ids and references, so that ajv resolves them to the same schemas. */
function withAbsoluteReferences(
  schema: JsonSchema,
  references: SchemaReferences,
  draft: JsonSchemaDraft,
): JsonSchema {
  const alone = references.documents.length === 1 && typeof schema[idKeywordOf(draft)] !== 'string'
  const made = makeAbsolute(schema, references, draft) as JsonSchema
  const named = alone ? made : { ...made, [idKeywordOf(draft)]: references.uriOf(schema) }
  return withMetaSchema(named, draft)
}

function makeAbsolute(schema: unknown, references: SchemaReferences, draft: JsonSchemaDraft): unknown {
  if (!isJsonObject(schema)) return schema
  const below = (inner: unknown): unknown => makeAbsolute(inner, references, draft)
  const { one, lists, named } = SUBSCHEMA_KEYWORDS
  const made = Object.entries(resolveDynamicReference(schema, references)).map(
    ([key, value]): [string, unknown] => {
      if (lists.includes(key) && Array.isArray(value)) return [key, value.map(below)]
      if (one.includes(key)) return [key, below(value)]
      if (named.includes(key) && isJsonObject(value))
        return [key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, below(inner)]))]
      if (typeof value !== 'string') return [key, value]
      if (key === '$ref') return [key, references.absoluteUriOf(schema, value) ?? value]
      const isName = key === idKeywordOf(draft) && !value.startsWith('#')
      return [key, isName ? (references.uriOf(schema) ?? value) : value]
    },
  )
  return Object.fromEntries(made)
}

/**
 * Replaces a dynamic reference that has only one target by `$ref`, because ajv supports only some dynamic references.
 */
function resolveDynamicReference(schema: JsonSchema, references: SchemaReferences): JsonSchema {
  const { $dynamicRef, $recursiveRef, ...rest } = schema
  const reference = $dynamicRef ?? $recursiveRef
  if (typeof reference !== 'string') return schema
  const name = $dynamicRef === undefined ? '' : reference.slice(reference.indexOf('#') + 1)
  if (references.countDynamicTargets(name) > 1) return schema
  const $ref = references.absoluteUriOf(schema, reference) ?? reference
  if (!Object.hasOwn(rest, '$ref')) return { ...rest, $ref }
  return { ...rest, allOf: [...(Array.isArray(rest['allOf']) ? (rest['allOf'] as unknown[]) : []), { $ref }] }
}
