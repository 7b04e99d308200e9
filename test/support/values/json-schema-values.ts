import fc from 'fast-check'
import { decimalText } from '../../../src/arrow/decimal.ts'
import { formatDate, formatDateTime } from '../../../src/arrow/time.ts'
import { ExactNumber } from '../../../src/core/exact.ts'

/** What goes in as text of JSON, and what must come out. */
export type JsonPair = readonly [json: string, row: unknown]

/** A generated JSON Schema with values for it; `undefined` is a field that is not there. */
interface Generated {
  readonly schema: object
  readonly value: fc.Arbitrary<JsonPair | undefined>
}

const DAY_MICROS = 86_400_000_000n
/** Years 1 to 9999. */
const DAYS = { min: -719_162, max: 2_932_896 }
const MICROS = { min: BigInt(DAYS.min) * DAY_MICROS, max: BigInt(DAYS.max) * DAY_MICROS }

const json = (value: unknown): string => JSON.stringify(value)
const same = (schema: object, value: fc.Arbitrary<unknown>): Generated => ({
  schema,
  value: value.map((each) => [json(each), each]),
})
// A mark at the start of a text is lost in DuckDB's client, not in the file.
const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.startsWith('\uFEFF'))
const micros = fc.bigInt(MICROS)
const floats = { noNaN: true, noDefaultInfinity: true }

const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -300n, max: 300n }),
)
const integer = (type: string, bits: number): Generated =>
  same(
    { type: 'integer', 'x-delta-type': type },
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }),
  )

const decimal = fc
  .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38), fc.boolean())
  .map(([precision, wanted, quoted]): Generated => {
    const scale = Math.min(precision, wanted)
    const limit = 10n ** BigInt(precision) - 1n
    return {
      schema: { type: quoted ? 'string' : 'number', 'x-delta-type': `decimal(${precision},${scale})` },
      value: fc.bigInt({ min: -limit, max: limit }).map((unscaled) => {
        const written = decimalText(unscaled, scale)
        return [quoted ? json(written) : written, new ExactNumber(written)]
      }),
    }
  })

const leaf: fc.Arbitrary<Generated> = fc.oneof(
  fc.constantFrom<Generated>(
    same({ type: 'boolean' }, fc.boolean()),
    same({ type: 'string' }, text),
    same({ type: 'string', format: 'uuid' }, fc.uuid()),
    same({ enum: ['a', 'ü', ''] }, fc.constantFrom('a', 'ü', '')),
    same(
      { type: 'number' },
      fc.double(floats).map((each) => each + 0),
    ),
    same(
      { type: 'number', 'x-delta-type': 'float' },
      fc.float(floats).map((each) => each + 0),
    ),
    integer('integer', 32),
    integer('short', 16),
    integer('byte', 8),
    {
      schema: { type: 'integer' },
      value: long.map((each) => [String(each), Number.isSafeInteger(Number(each)) ? Number(each) : each]),
    },
    {
      schema: { type: 'string', format: 'date' },
      value: fc.integer(DAYS).map((each) => [json(formatDate(each)), formatDate(each)]),
    },
    {
      schema: { type: 'string', format: 'date-time' },
      value: micros.map((each) => [json(formatDateTime(each, true)), formatDateTime(each, true)]),
    },
    {
      schema: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
      value: micros.map((each) => [json(formatDateTime(each, false)), formatDateTime(each, false)]),
    },
    same(
      { type: 'string', contentEncoding: 'base64' },
      fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each).toString('base64')),
    ),
  ),
  decimal,
)

const present = ({ value }: Generated): fc.Arbitrary<JsonPair> =>
  value.filter((pair): pair is JsonPair => pair !== undefined)

function nullable(inner: Generated): Generated {
  return {
    schema: { anyOf: [inner.schema, { type: 'null' }] },
    value: fc.oneof(present(inner), fc.constant<JsonPair>(['null', null])),
  }
}

/** A field that may be absent. */
function optional({ schema, value }: Generated): Generated {
  return { schema, value: fc.option(value, { nil: undefined }) }
}

function arrayOf(inner: Generated): Generated {
  return {
    schema: { type: 'array', items: inner.schema },
    value: fc
      .array(present(inner), { maxLength: 4 })
      .map((pairs) => [`[${pairs.map(([a]) => a).join(',')}]`, pairs.map(([, row]) => row)]),
  }
}

function mapOf(inner: Generated): Generated {
  const key = text.filter((each) => each !== '__proto__')
  return {
    schema: { type: 'object', additionalProperties: inner.schema },
    value: fc
      .uniqueArray(fc.tuple(key, present(inner)), { maxLength: 4, selector: ([name]) => name })
      .map((entries) => [
        `{${entries.map(([name, [a]]) => `${json(name)}:${a}`).join(',')}}`,
        Object.fromEntries(entries.map(([name, [, row]]) => [name, row])),
      ]),
  }
}

function objectOf(fields: readonly (readonly [string, Generated])[]): Generated {
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(fields.map(([name, { schema }]) => [name, schema])),
    },
    value: fc.tuple(...fields.map(([, { value }]) => value)).map((pairs) => {
      const written = fields.flatMap(([name], i) =>
        pairs[i] === undefined ? [] : [`${json(name)}: ${pairs[i][0]}`],
      )
      return [
        `{${written.join(', ')}}`,
        Object.fromEntries(fields.map(([name], i) => [name, pairs[i]?.[1] ?? null])),
      ]
    }),
  }
}

const fieldName = fc.stringMatching(/^[a-z_][a-z0-9_é]{0,6}$/).filter((name) => name !== '__proto__')

const { object } = fc.letrec<{ any: Generated; object: Generated }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'json-schema' },
    leaf,
    leaf.map(nullable),
    leaf.map(optional),
    tie('any').map(arrayOf),
    tie('any').map(mapOf),
    tie('object'),
    tie('object').map(nullable),
  ),
  object: fc
    .uniqueArray(fc.tuple(fieldName, tie('any')), { minLength: 1, maxLength: 4, selector: ([name]) => name })
    .map(objectOf),
}))

/** An object schema with some of its values. */
export const messagesOfAnySchema: fc.Arbitrary<{
  readonly schema: object
  readonly pairs: readonly JsonPair[]
}> = object.chain((generated) =>
  fc
    .array(present(generated), { minLength: 1, maxLength: 5 })
    .map((pairs) => ({ schema: generated.schema, pairs })),
)
