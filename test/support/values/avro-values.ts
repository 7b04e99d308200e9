import avsc from 'avsc'
import fc from 'fast-check'
import { decimalText } from '../../../src/arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../../src/arrow/time.ts'
import { ExactNumber } from '../../../src/core/exact.ts'

/** A generated Avro type: its schema, and values as avsc encodes them beside what a table must hold. */
export interface Generated {
  readonly schema: unknown
  readonly value: fc.Arbitrary<Pair>
}

/** What goes in, and what must come out. */
export type Pair = readonly [avro: unknown, row: unknown]

const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n
const DAY_MICROS = 86_400_000_000n
/** Years 0 to 9999, which ISO 8601 text can write. */
const DAYS = { min: -719_528, max: 2_932_896 }
const MICROS = { min: BigInt(DAYS.min) * DAY_MICROS, max: BigInt(DAYS.max) * DAY_MICROS }

/** Longs as bigint, which avsc leaves to its users. */
export const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** The encoder of another library for a schema. */
export function encoderOf(schema: unknown): (value: unknown) => Buffer {
  const type = avsc.Type.forSchema(schema as avsc.Schema, {
    wrapUnions: 'always',
    typeHook: (each) => {
      const name: unknown = typeof each === 'string' ? each : (each as { type?: unknown }).type
      return name === 'long' ? LONG : undefined
    },
  })
  return (value) => type.toBuffer(value)
}

const number = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value
const same = (schema: unknown, value: fc.Arbitrary<unknown>): Generated => ({
  schema,
  value: value.map((each) => [each, each]),
})
// A mark at the start of a text is lost in DuckDB's client, not in the file.
const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.startsWith('\uFEFF'))
const bytes = fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each))
const longs = fc.oneof(fc.bigInt({ min: LONG_MIN, max: LONG_MAX }), fc.bigInt({ min: -300n, max: 300n }))
const floats = { noNaN: true, noDefaultInfinity: true }
const timestamp = (name: string, perUnit: bigint): Generated => ({
  schema: { type: 'long', logicalType: name },
  value: fc
    .bigInt({ min: MICROS.min / perUnit, max: MICROS.max / perUnit })
    .map((each) => [each, formatDateTime(each * perUnit, !name.startsWith('local-'))]),
})

let names = 0
/** A name that no other type of the process has. */
const fresh = (prefix: string): string => `${prefix}${names++}`

function decimal(precision: number, scale: number, size?: number): Generated {
  const limit = 10n ** BigInt(precision) - 1n
  const sized = size === undefined ? { type: 'bytes' } : { type: 'fixed', name: fresh('D'), size }
  return {
    schema: { ...sized, logicalType: 'decimal', precision, scale },
    value: fc.bigInt({ min: -limit, max: limit }).map((unscaled) => {
      const width = size ?? 17
      const hex = BigInt.asUintN(8 * width, unscaled).toString(16)
      return [Buffer.from(hex.padStart(2 * width, '0'), 'hex'), new ExactNumber(decimalText(unscaled, scale))]
    }),
  }
}

const leaf: fc.Arbitrary<Generated> = fc.oneof(
  fc.constantFrom(
    same('boolean', fc.boolean()),
    same('int', fc.integer()),
    { schema: 'long', value: longs.map((each): Pair => [each, number(each)]) },
    same('float', fc.float(floats)),
    same('double', fc.double(floats)),
    same('string', text),
    { schema: 'bytes', value: bytes.map((each): Pair => [each, each.toString('base64')]) },
    {
      schema: { type: 'int', logicalType: 'date' },
      value: fc.integer(DAYS).map((each): Pair => [each, formatDate(each)]),
    },
    timestamp('timestamp-millis', 1000n),
    timestamp('timestamp-micros', 1n),
    timestamp('local-timestamp-millis', 1000n),
    timestamp('local-timestamp-micros', 1n),
    same({ type: 'string', logicalType: 'uuid' }, fc.uuid()),
    // Times of day have no column type of their own.
    same({ type: 'int', logicalType: 'time-millis' }, fc.nat(86_399_999)),
    {
      schema: { type: 'long', logicalType: 'time-micros' },
      value: fc.bigInt({ min: 0n, max: 86_399_999_999n }).map((each): Pair => [each, Number(each)]),
    },
  ),
  fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38), fc.boolean())
    .map(([precision, scale, fixed]) =>
      decimal(precision, Math.min(precision, scale), fixed ? 17 : undefined),
    ),
  fc
    .uniqueArray(fc.constantFrom('A', 'B', 'C_1', '_d'), { minLength: 1 })
    .map((symbols) => same({ type: 'enum', name: fresh('E'), symbols }, fc.constantFrom(...symbols))),
  fc.integer({ min: 1, max: 9 }).map((size): Generated => ({
    schema: { type: 'fixed', name: fresh('F'), size },
    value: fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((each) => [Buffer.from(each), Buffer.from(each).toString('base64')]),
  })),
)

function arrayOf({ schema, value }: Generated): Generated {
  return {
    schema: { type: 'array', items: schema },
    value: fc.array(value, { maxLength: 4 }).map((pairs) => [pairs.map(([a]) => a), pairs.map(([, r]) => r)]),
  }
}

function mapOf({ schema, value }: Generated): Generated {
  const entries = fc.uniqueArray(
    fc.tuple(
      text.filter((key) => key !== '__proto__'),
      value,
    ),
    {
      maxLength: 4,
      selector: ([key]) => key,
    },
  )
  return {
    schema: { type: 'map', values: schema },
    value: entries.map((each) => [
      Object.fromEntries(each.map(([key, [a]]) => [key, a])),
      Object.fromEntries(each.map(([key, [, r]]) => [key, r])),
    ]),
  }
}

/** How avsc calls a branch of a union. */
function branchName(schema: unknown): string {
  if (typeof schema === 'string') return schema
  const { type, name } = schema as { type: string; name?: string }
  return name ?? type
}

function nullable({ schema, value }: Generated): Generated {
  const branch = branchName(schema)
  const present = value.map(([a, r]): Pair => [{ [branch]: a }, r])
  return { schema: ['null', schema], value: fc.oneof(present, fc.constant<Pair>([null, null])) }
}

function unionOf(members: readonly Generated[]): Generated {
  const rows = members.map(({ schema, value }, index) =>
    value.map(([a, r]): Pair => [
      { [branchName(schema)]: a },
      Object.fromEntries(members.map((_, i) => [`member${i}`, i === index ? r : null])),
    ]),
  )
  return { schema: members.map(({ schema }) => schema), value: fc.oneof(...rows) }
}

function recordOf(fields: readonly (readonly [string, Generated])[]): Generated {
  return {
    schema: {
      type: 'record',
      name: fresh('R'),
      fields: fields.map(([name, { schema }]) => ({ name, type: schema })),
    },
    value: fc.tuple(...fields.map(([, { value }]) => value)).map((pairs) => {
      const side = (at: 0 | 1): unknown =>
        Object.fromEntries(fields.map(([name], i) => [name, pairs[i]?.[at]]))
      return [side(0), side(1)]
    }),
  }
}

const fieldName = fc.stringMatching(/^[a-z_][a-z0-9_]{0,6}$/).filter((name) => name !== '__proto__')

const { type: anyType } = fc.letrec<{ type: Generated; record: Generated }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'avro' },
    leaf,
    leaf.map(nullable),
    fc
      .uniqueArray(leaf, { minLength: 2, maxLength: 3, selector: ({ schema }) => branchName(schema) })
      .map(unionOf),
    tie('type').map(arrayOf),
    tie('type').map(mapOf),
    tie('record'),
    tie('record').map(nullable),
  ),
  record: fc
    .uniqueArray(fc.tuple(fieldName, tie('type')), { minLength: 1, maxLength: 4, selector: ([name]) => name })
    .map(recordOf),
}))

/** A record schema with some of its values, at most `pairsMax`. */
export const recordsOf = (
  pairsMax: number,
): fc.Arbitrary<{ readonly schema: unknown; readonly pairs: readonly Pair[] }> =>
  fc
    .uniqueArray(fc.tuple(fieldName, anyType), { minLength: 1, maxLength: 6, selector: ([name]) => name })
    .map(recordOf)
    .chain(({ schema, value }) =>
      fc.array(value, { minLength: 1, maxLength: pairsMax, size: 'max' }).map((pairs) => ({ schema, pairs })),
    )

/** A record schema with a few of its values. */
export const recordsOfAnySchema = recordsOf(12)

/** How a later schema may have a field that an earlier one had. */
type Change = 'kept' | 'dropped' | 'renamed' | 'nullable' | 'wider'

const WIDER: Readonly<Record<string, string>> = {
  int: 'long',
  float: 'double',
  long: 'double',
  string: 'bytes',
}

interface Field {
  readonly name: string
  readonly type: unknown
}

/**
 * A schema that reads records of another one, and what a row of that one is in it. Fields are dropped, renamed, made
 * nullable or wider, and one is new; their order is turned round.
 */
export function evolved(
  schema: unknown,
  changes: readonly Change[],
): { readonly schema: unknown; readonly rowOf: (row: Record<string, unknown>) => Record<string, unknown> } {
  const { fields, ...rest } = schema as { readonly fields: readonly Field[] }
  const made = fields.map(({ name, type }, i) => {
    const change = changes[i % changes.length]
    const wider = typeof type === 'string' ? WIDER[type] : undefined
    if (change === 'dropped' && fields.length > 1 && i > 0) return undefined
    if (change === 'renamed') return { field: { name: `renamed_${i}`, type, aliases: [name] }, from: name }
    if (change === 'nullable' && !Array.isArray(type))
      return { field: { name, type: ['null', type] }, from: name }
    if (change === 'wider' && wider !== undefined)
      return { field: { name, type: wider }, from: name, wider, type }
    return { field: { name, type }, from: name }
  })
  const kept = made.filter((each) => each !== undefined).reverse()
  return {
    schema: {
      ...rest,
      fields: [{ name: 'added_1', type: 'string', default: 'é' }, ...kept.map(({ field }) => field)],
    },
    rowOf: (row) =>
      Object.fromEntries([
        ['added_1', 'é'],
        ...kept.map(({ field, from, wider }): [string, unknown] => [field.name, widened(row[from], wider)]),
      ]),
  }
}

function widened(value: unknown, wider: string | undefined): unknown {
  if (wider === 'bytes') return Buffer.from(value as string).toString('base64')
  return wider === 'double' ? Number(value) : value
}

/** Changes of the fields of a schema, one after another. */
export const changesOfFields: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.constantFrom<Change>('kept', 'dropped', 'renamed', 'nullable', 'wider'),
  { minLength: 1, maxLength: 6 },
)
