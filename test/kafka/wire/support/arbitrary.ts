import fc from 'fast-check'
import {
  type FieldTable,
  includesVersion,
  type WireField,
  type WireScalar,
  type WireType,
} from '../../../../src/kafka/wire/schema.ts'
import { defaultOf } from '../../../../src/kafka/wire/decode.ts'

/** Messages of a table in a version: every field that the version carries has any value, all others their defaults. */
export function messagesOfTable(table: FieldTable, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(Object.entries(table).map(([name, field]) => [name, valuesOfField(field, version)])),
  )
}

function valuesOfField(field: WireField, version: number): fc.Arbitrary<unknown> {
  if (!includesVersion(field.versions, version)) return fc.constant(defaultOf(field))
  const values = valuesOfType(field.type, version)
  const some = field.tag === undefined ? values : fc.oneof(fc.constant(defaultOf(field)), values)
  return includesVersion(field.nullable, version)
    ? fc.oneof({ weight: 3, arbitrary: some }, fc.constant(null))
    : some
}

function valuesOfType(type: WireType, version: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return SCALARS[type]
  if (Array.isArray(type)) {
    return fc.array(valuesOfType((type as readonly [WireScalar | FieldTable])[0], version), { maxLength: 3 })
  }
  return messagesOfTable(type as FieldTable, version)
}

const bytes = fc.uint8Array({ maxLength: 40 })

const SCALARS: Readonly<Record<WireScalar, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  int32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('hex')),
  string: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ minLength: 100, maxLength: 200 }),
  ),
  bytes,
  records: bytes,
}
