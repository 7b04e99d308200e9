import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ErrorObject, Options, ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { messageOf } from '../core/errors.ts'
import { plainNumbers } from '../core/exact.ts'
import type { StructType } from '../core/schema.ts'
import { DELTA_TYPE } from './delta-type.ts'
import { describeError } from './describe.ts'
import { isObject, pointerTo, subschemas } from './json-schema.ts'
import type { Fault, JsonSchema } from './json-schema.ts'
import { plainOf } from './plain.ts'
import type { PlainContract } from './plain.ts'
import { contractInvalid, mapSchema } from './to-table-schema.ts'

/** What every record of a topic must be, and the table schema that follows from it. */
export interface Contract {
  /** Where the contract came from: a path, or the table's URI. */
  readonly source: string
  /** The columns, all nullable. */
  readonly schema: StructType
  /** Checks one row: `undefined` when it is valid, else one line with JSON pointer, what was expected, what was got. Never throws. */
  check(row: unknown): string | undefined
  /** The whole contract as data for a checker without objects; `undefined` where only `check` can tell. */
  readonly plain: PlainContract | undefined
}

const OPTIONS: Options = {
  // Schemas in the wild carry keywords of other tools; what matters to us, formats and types, is checked below.
  strict: false,
  strictNumbers: true,
  ownProperties: true,
  allErrors: false,
  // Errors carry the value that broke the rule.
  verbose: true,
  // The faults are listed in an error; nothing may go to the console.
  logger: false,
}

/** Keywords under which a value that only looks like no number could pass: there the numbers are made plain first. */
const NEGATIONS = ['not', 'if', 'oneOf', 'contains', 'dependentSchemas']

/**
 * A contract from JSON Schema: draft 2020-12 (also where `$schema` is absent) or draft-07, formats asserted.
 * @throws KD_CONTRACT_INVALID with every fault and its JSON pointer: no valid schema, unknown formats, types that no
 * column can take, column names that Delta refuses.
 */
export function loadContract(json: unknown, options: { readonly source: string }): Contract {
  const { source } = options
  const { type, faults } = mapSchema(json)
  const { validate, faults: compileFaults } = compile(json)
  // What ajv has to say of a schema comes first: it explains most of the rest.
  const all = [...compileFaults, ...faults]
  if (all.length > 0 || type === undefined || validate === undefined || !isObject(json)) {
    throw contractInvalid(all, source)
  }
  const plainFirst = [...subschemas(json)].some(({ schema }) =>
    NEGATIONS.some((key) => Object.hasOwn(schema, key)),
  )
  return { source, schema: type, plain: plainOf(json, type), check: checkWith(validate, plainFirst) }
}

function checkWith(validate: ValidateFunction, plainFirst: boolean): Contract['check'] {
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

function compile(json: unknown): { validate: ValidateFunction | undefined; faults: readonly Fault[] } {
  if (!isObject(json)) return { validate: undefined, faults: [] }
  const ajv = ajvFor(json['$schema'])
  if (ajv === undefined) {
    const message = `${JSON.stringify(json['$schema'])} is not supported; use draft 2020-12 or draft-07`
    return { validate: undefined, faults: [{ at: '/$schema', message }] }
  }
  formats.default(ajv)
  ajv.addKeyword({ keyword: DELTA_TYPE, schemaType: 'string' })
  const faults: Fault[] = formatFaults(json, ajv)
  try {
    if (ajv.validateSchema(json) !== true) {
      const errors = ajv.errors ?? []
      faults.push(...errors.map((error) => ({ at: error.instancePath, message: error.message ?? '' })))
      return { validate: undefined, faults }
    }
    return { validate: ajv.compile(json), faults }
  } catch (error) {
    return { validate: undefined, faults: [...faults, { at: '', message: messageOf(error) }] }
  }
}

function ajvFor(draft: unknown): Ajv | Ajv2020 | undefined {
  const name = draft === undefined ? '2020-12' : typeof draft === 'string' ? draft : ''
  if (name.includes('2020-12')) return new Ajv2020(OPTIONS)
  return name.includes('draft-07') ? new Ajv(OPTIONS) : undefined
}

function formatFaults(json: JsonSchema, ajv: Ajv | Ajv2020): Fault[] {
  const faults: Fault[] = []
  for (const { schema, at } of subschemas(json)) {
    const format = schema['format']
    if (typeof format === 'string' && !Object.hasOwn(ajv.formats, format)) {
      faults.push({ at: pointerTo(at, 'format'), message: `the format ${JSON.stringify(format)} is unknown` })
    }
  }
  return faults
}
