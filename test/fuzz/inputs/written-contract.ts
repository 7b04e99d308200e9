// Generates contracts in JSON Schema.
import { loadContract, type Contract } from '../../../src/contract/contract.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import type { Chance } from '../../support/values/chance.ts'

const LIMITS: readonly object[] = [
  { minimum: 0 },
  { maximum: 100 },
  { exclusiveMinimum: -2, multipleOf: 2 },
  { enum: [0, 1, 5] },
]
const TEXTS: readonly object[] = [
  { maxLength: 3 },
  { minLength: 1 },
  { enum: ['a', 'Ada', '', 'true', 'E1_0'] },
  { pattern: '^[a-z]*$' },
  { pattern: 'x|é' },
  { format: 'date' },
  { not: { const: 'a' } },
]

/** A contract for these columns, most of them with the types that they have; some values have rules. */
export function writtenContractOf(chance: Chance, columns: StructType): Contract {
  return loadContract(objectOf(chance, columns), { source: 'fuzz' })
}

function objectOf(chance: Chance, { fields }: StructType): object {
  const named = fields.filter(({ name }) => name !== '__proto__' && !chance.once(20))
  const required = named.map(({ name }) => name).filter(() => chance.once(8))
  return {
    type: 'object',
    properties: Object.fromEntries(named.map(({ name, type }) => [name, schemaOf(chance, type)])),
    ...(required.length === 0 ? {} : { required }),
    ...(chance.once(6) ? { additionalProperties: false } : {}),
    ...(chance.once(20) ? { minProperties: 2 } : {}),
    ...(chance.once(20) && named.length > 1
      ? { dependentRequired: { [named[0]?.name ?? '']: [named[1]?.name] } }
      : {}),
  }
}

function schemaOf(chance: Chance, type: DataType): object {
  const schema = typedSchemaOf(chance, type)
  if (chance.once(3)) return schema
  return chance.once(6) ? { anyOf: [schema, { type: 'null' }] } : { ...schema, type: [schema.type, 'null'] }
}

function typedSchemaOf(chance: Chance, type: DataType): TypedSchema {
  const ruled = (rules: readonly object[]): object => (chance.once(4) ? chance.pick(rules) : {})
  if (typeof type !== 'string')
    switch (type.type) {
      case 'struct':
        return { ...objectOf(chance, type), type: 'object' }
      case 'array':
        return {
          type: 'array',
          items: schemaOf(chance, type.elementType),
          ...ruled([{ minItems: 1 }, { maxItems: 2 }]),
        }
      case 'map':
        return {
          type: 'object',
          additionalProperties: schemaOf(chance, type.valueType),
          ...ruled([{ maxProperties: 1 }]),
        }
    }
  const delta = { 'x-delta-type': type }
  switch (type) {
    case 'string':
      return { type: 'string', ...ruled(TEXTS) }
    case 'binary':
      return { type: 'string', ...delta, ...ruled([{ maxLength: 4 }, { pattern: '^a' }]) }
    case 'boolean':
      return { type: 'boolean', ...ruled([{ const: true }]) }
    case 'date':
      return { type: 'string', format: 'date', ...ruled([{ minLength: 11 }]) }
    case 'timestamp':
      return { type: 'string', format: 'date-time', ...ruled([{ pattern: 'Z$' }]) }
    case 'timestamp_ntz':
      return { type: 'string', ...delta }
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return { type: 'integer', ...delta, ...ruled(LIMITS) }
    case 'double':
    case 'float':
      return { type: 'number', ...delta, ...ruled(LIMITS) }
    default:
      return { type: chance.once(6) ? 'string' : 'number', ...delta, ...ruled(LIMITS) }
  }
}

type TypedSchema = { readonly type: string } & Readonly<Record<string, unknown>>
