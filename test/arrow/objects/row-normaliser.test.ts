import fc from 'fast-check'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { StructBuilder } from '../../../src/arrow/builder.ts'
import { RowNormaliser } from '../../../src/arrow/objects/row-normaliser.ts'
import { rowReaderOf } from '../../../src/arrow/objects/row-reader.ts'
import { rowAt } from '../../../src/arrow/values.ts'
import { ExactNumber, WholeFraction } from '../../../src/core/exact.ts'
import type { DataType, StructType } from '../../../src/core/schema.ts'
import { arrayOf, mapOf, structOf } from '../../support/flow/batches.ts'

const PRIMITIVES: readonly DataType[] = [
  ...(['string', 'long', 'integer', 'short', 'byte', 'float', 'double', 'boolean', 'binary'] as const),
  ...(['date', 'timestamp', 'timestamp_ntz', 'decimal(10,2)', 'decimal(38,0)'] as const),
]

const TYPES: fc.Arbitrary<DataType> = fc.letrec<{ type: DataType }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...PRIMITIVES),
    fc.record({
      type: fc.constant('array' as const),
      elementType: tie('type'),
      containsNull: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('map' as const),
      keyType: fc.constantFrom<DataType>('string', 'string', 'long', 'date'),
      valueType: tie('type'),
      valueContainsNull: fc.boolean(),
    }),
    fc
      .array(fc.record({ type: tie('type'), nullable: fc.boolean() }), { minLength: 1, maxLength: 3 })
      .map((fields): DataType => ({
        type: 'struct',
        fields: fields.map(({ type, nullable }, i) => ({
          name: NAMES[i] as string,
          type,
          nullable,
          metadata: {},
        })),
      })),
  ),
})).type

const NAMES = ['a', 'constructor', 'x"y\n']

const SCHEMAS: fc.Arbitrary<StructType> = fc
  .array(
    fc.record({
      type: TYPES,
      nullable: fc.boolean(),
      name: fc.constantFrom('a', 'b c', '1', 'toString', '__proto__'),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((fields) => ({
    type: 'struct',
    fields: [...new Map(fields.map((field) => [field.name, field])).values()].map((field) => ({
      ...field,
      metadata: {},
    })),
  }))

/** A value that fits the type most of the time, in one of the forms that builders take. */
function valuesOf(type: DataType): fc.Arbitrary<unknown> {
  const any = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, undefined, [], {}, 'x', 1.5, -0, NaN, true) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>(
        5n,
        2n ** 70n,
        new Date(5),
        new Date(-1),
        new Date(NaN),
        new Date(-1e14),
        '\ud800',
        new Uint8Array([1]),
      ),
    },
    { weight: 12, arbitrary: fittingOf(type) },
  )
  return any
}

function fittingOf(type: DataType): fc.Arbitrary<unknown> {
  if (typeof type !== 'string') {
    if (type.type === 'array') return fc.array(valuesOf(type.elementType), { maxLength: 3 })
    if (type.type === 'map') {
      const keys = type.keyType === 'string' ? fc.string() : fittingOf(type.keyType)
      const entries = fc.array(fc.tuple(keys, valuesOf(type.valueType)), { maxLength: 3 })
      return type.keyType === 'string'
        ? entries.chain((all) => fc.constantFrom<unknown>(Object.fromEntries(all), new Map(all)))
        : entries.map((all) => new Map(all))
    }
    return objectsOf(type)
  }
  const digits = fc.integer({ min: 0, max: 999_999 }).map((n) => String(n).padStart(6, '0'))
  const days = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-30'), noInvalidDate: true })
  const exact = fc
    .constantFrom('1.50', '2', '-0.01', '1e3', '12345678.90', '0.001', '00.10')
    .chain((text) =>
      fc.constantFrom<unknown>(new ExactNumber(text), new WholeFraction(text), Number(text), text),
    )
  switch (type) {
    case 'string':
      return fc.string({ unit: 'binary' })
    case 'boolean':
      return fc.boolean()
    case 'binary':
      return fc.constantFrom<unknown>('', 'QQ==', 'QR==', 'AAAA', 'no', new Uint8Array([1, 2]))
    case 'date':
      return fc.oneof(
        days,
        days.map((date) => date.toISOString().slice(0, 10)),
        fc.constantFrom('2026-02-29', '2024-02-29', '2026-13-01', '2026-00-10', '2026-01-32', '202x-01-01'),
      )
    case 'timestamp':
    case 'timestamp_ntz':
      return fc
        .tuple(days, digits, fc.constantFrom('Z', '', '+02:00', 'z'), fc.constantFrom('T', ' ', 't'))
        .map(
          ([date, fraction, zone, t]) =>
            date.toISOString().slice(0, 19).replace('T', t) + `.${fraction}${zone}`,
        )
    case 'float':
    case 'double':
      return fc.oneof(fc.double(), fc.integer(), exact)
    case 'long':
      return fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), exact)
    default:
      return fc.oneof(fc.integer({ min: -40_000, max: 40_000 }), fc.integer({ min: -130, max: 130 }), exact)
  }
}

function objectsOf({ fields }: StructType): fc.Arbitrary<unknown> {
  return fc
    .tuple(
      fc.tuple(...fields.map(({ type }) => valuesOf(type))),
      fc.subarray([...fields.keys()]),
      fc.boolean(),
    )
    .map(([values, present, hasPrototype]) => {
      const indices = present.length === 0 ? [...fields.keys()] : present
      const object = Object.fromEntries([
        ...indices.map((i) => [fields[i]?.name ?? '', values[i]] as const),
        ['another', 1],
      ])
      return hasPrototype ? object : Object.assign(Object.create({ a: 'inherited' }) as object, object)
    })
}

/** What the columns hold for a value, or why it does not fit them. */
function builtOf(schema: StructType, value: unknown): unknown {
  const builder = new StructBuilder(schema)
  return builder.append(value) ?? rowAt(builder.finishColumns(), 0)
}

const CASES = SCHEMAS.chain((schema) => fc.tuple(fc.constant(schema), valuesOf(schema)))

test('A normalised row is what the columns hold, and a fault is that of the columns', () => {
  fc.assert(
    fc.property(CASES, ([schema, value]) => {
      fc.pre(value !== null && value !== undefined)
      const row = new RowNormaliser(schema).normalise(value)
      assert.deepEqual(row, builtOf(schema, value))
      if (typeof row === 'string') return
      assert.deepEqual(Object.keys(row), Object.keys(builtOf(schema, value) as object))
      // What is read fits the columns again, unchanged.
      assert.deepEqual(new RowNormaliser(schema).normalise(row), row)
      assert.deepEqual(builtOf(schema, row), row)
      assert.deepEqual(new RowNormaliser(schema).copy(row), row)
    }),
    { numRuns: 2_000 },
  )
})

test('A row that is read by code for its columns is the row that is read value by value', () => {
  fc.assert(
    fc.property(
      SCHEMAS.chain((schema) => fc.tuple(fc.constant(schema), fc.array(valuesOf(schema), { maxLength: 4 }))),
      ([schema, values]) => {
        const builder = new StructBuilder(schema)
        for (const value of values) {
          const { length } = builder
          if (builder.append(value) !== undefined) builder.truncate(length)
        }
        const columns = builder.finishColumns()
        const read = rowReaderOf(columns)
        for (let row = 0; row < columns.length; row++) {
          assert.deepEqual(read(row), rowAt(columns, row))
          assert.deepEqual(Object.keys(read(row)), Object.keys(rowAt(columns, row)))
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('A copy shares nothing that can be changed', () => {
  const schema = structOf({ s: structOf({ n: 'long' }), l: arrayOf('long'), m: mapOf('long', 'long') })
  const normaliser = new RowNormaliser(schema)
  const given = { s: { n: 1 }, l: [1], m: new Map([[1, 2]]) }
  const row = normaliser.normalise(given) as typeof given
  const copy = normaliser.copy(row) as typeof given
  for (const part of ['s', 'l', 'm'] as const) {
    assert.notEqual(row[part], given[part])
    assert.notEqual(copy[part], row[part])
  }
})

test('Null and undefined are mistakes, not rows of nulls', () => {
  const normaliser = new RowNormaliser(structOf({ n: 'long' }))
  assert.equal(normaliser.normalise(undefined), 'expected an object, got undefined')
  assert.equal(normaliser.normalise(null), 'expected an object, got null')
})

test('Where code from text is forbidden, rows are read and normalised the same', () => {
  const program = `
    import { RowNormaliser } from './src/arrow/objects/row-normaliser.ts'
    import { rowReaderOf } from './src/arrow/objects/row-reader.ts'
    const schema = { type: 'struct', fields: [['n', 'long'], ['s', 'string']].map(([name, type]) => ({ name, type, nullable: true, metadata: {} })) }
    const normaliser = new RowNormaliser(schema)
    const builder = normaliser.columnBuilder()
    builder.append({ n: 1, s: 'x' })
    const read = rowReaderOf(builder.finishColumns())
    let forbidden = false
    try { new Function('') } catch { forbidden = true }
    console.log(JSON.stringify([forbidden, normaliser.normalise({ s: 'y', other: 1 }), normaliser.normalise({ n: 'x' }), read(0)]))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  )
  assert.deepEqual(JSON.parse(stdout === '' ? JSON.stringify(stderr) : stdout), [
    true,
    { n: null, s: 'y' },
    '/n expected an integer, got "x"',
    { n: 1, s: 'x' },
  ])
})
