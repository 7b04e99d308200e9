import type { ErrorObject, ValidateFunction } from 'ajv'
import { messageOf } from '../../core/errors.ts'
import { plainNumbers } from '../../core/exact.ts'
import { describeError } from './describe.ts'
import { checkerFor, idKeyword, withMeta, type Checker, type Draft } from './draft.ts'
import { isObject, JSON_SCHEMA_PARTS, pointerTo, subschemas } from './json-schema.ts'
import type { Fault, JsonSchema } from './json-schema.ts'
import type { ContractDocument, References } from './references.ts'

/** Keywords under which a value that only looks like no number could pass: there the numbers are made plain first. */
const NEGATIONS = ['not', 'if', 'oneOf', 'contains', 'dependentSchemas']

/** Checks one row: `undefined` when it is valid, else one line on why not. Never throws. */
export type Check = (row: unknown) => string | undefined

/** A contract and what it refers to as one function, or all that hinders it; formats are asserted. */
export function compile(
  references: References,
  draft: Draft,
): { readonly check: Check | undefined; readonly faults: readonly Fault[] } {
  const checker = checkerFor(draft)
  const faults = references.documents.flatMap((document) => documentFaults(document, draft, checker))
  if (faults.length > 0) return { check: undefined, faults }
  try {
    const [root, ...others] = references.documents.map(({ schema }) => closed(schema, references, draft))
    for (const other of others) checker.addSchema(other, undefined, false, false)
    const validate = checker.compile(root as JsonSchema)
    const plainFirst = references.documents.some(({ schema }) =>
      [...subschemas(schema)].some((each) => NEGATIONS.some((key) => Object.hasOwn(each.schema, key))),
    )
    return { check: checkWith(validate, plainFirst), faults }
  } catch (error) {
    return { check: undefined, faults: [{ at: '', message: messageOf(error) }] }
  }
}

function checkWith(validate: ValidateFunction, plainFirst: boolean): Check {
  return (row) => {
    try {
      if (validate(plainFirst ? plainNumbers(row) : row)) return undefined
      // Numbers that no double holds are no numbers to ajv: such rows, and only they, are checked once more.
      const plain = plainFirst ? row : plainNumbers(row)
      if (plain !== row && validate(plain)) return undefined
      return describeError(validate.errors?.[0] as ErrorObject)
    } catch (error) {
      // Such as a value nested so deeply that comparing it exhausts the stack: the row is at fault, not the service.
      return `/ could not be checked: ${messageOf(error)}`
    }
  }
}

function documentFaults({ name, schema }: ContractDocument, draft: Draft, checker: Checker): Fault[] {
  const at = name === '' ? '' : `${name}#`
  const faults = formatFaults(schema, at, checker)
  try {
    if (checker.validateSchema(withMeta(schema, draft)) !== true) {
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

function formatFaults(schema: JsonSchema, document: string, { formats }: Checker): Fault[] {
  const faults: Fault[] = []
  for (const each of subschemas(schema, document)) {
    const format = each.schema['format']
    if (typeof format === 'string' && !Object.hasOwn(formats, format)) {
      const message = `the format ${JSON.stringify(format)} is unknown`
      faults.push({ at: pointerTo(each.at, 'format'), message })
    }
  }
  return faults
}

/** A document whose names and references are absolute, so that ajv finds what we have found. */
function closed(schema: JsonSchema, references: References, draft: Draft): JsonSchema {
  const alone = references.documents.length === 1 && typeof schema[idKeyword(draft)] !== 'string'
  const made = absolute(schema, references, draft) as JsonSchema
  const named = alone ? made : { ...made, [idKeyword(draft)]: references.uriOf(schema) }
  return withMeta(named, draft)
}

function absolute(schema: unknown, references: References, draft: Draft): unknown {
  if (!isObject(schema)) return schema
  const below = (inner: unknown): unknown => absolute(inner, references, draft)
  const { one, lists, named } = JSON_SCHEMA_PARTS
  const made = Object.entries(still(schema, references)).map(([key, value]): [string, unknown] => {
    if (lists.includes(key) && Array.isArray(value)) return [key, value.map(below)]
    if (one.includes(key)) return [key, below(value)]
    if (named.includes(key) && isObject(value))
      return [key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, below(inner)]))]
    if (typeof value !== 'string') return [key, value]
    if (key === '$ref') return [key, references.absolute(schema, value) ?? value]
    const isName = key === idKeyword(draft) && !value.startsWith('#')
    return [key, isName ? (references.uriOf(schema) ?? value) : value]
  })
  return Object.fromEntries(made)
}

/** A schema whose dynamic reference can mean but one schema says so by `$ref`: ajv knows some of these, but not all. */
function still(schema: JsonSchema, references: References): JsonSchema {
  const { $dynamicRef, $recursiveRef, ...rest } = schema
  const reference = $dynamicRef ?? $recursiveRef
  if (typeof reference !== 'string') return schema
  const name = $dynamicRef === undefined ? '' : reference.slice(reference.indexOf('#') + 1)
  if (references.dynamicTargets(name) > 1) return schema
  const $ref = references.absolute(schema, reference) ?? reference
  if (!Object.hasOwn(rest, '$ref')) return { ...rest, $ref }
  return { ...rest, allOf: [...(Array.isArray(rest['allOf']) ? (rest['allOf'] as unknown[]) : []), { $ref }] }
}
