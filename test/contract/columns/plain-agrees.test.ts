import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { objectsOf } from '../../../src/arrow/rows.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'
import { seededRandom } from '../../../src/sample/random.ts'

const PROPERTIES = {
  id: { type: 'string', minLength: 1, maxLength: 5 },
  n: { type: 'integer', minimum: -3, exclusiveMaximum: 1e18 },
  d: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 1e300 },
  k: { type: 'string', enum: ['a', 'b"', 'ü', ''] },
  at: { type: ['string', 'null'], format: 'date-time' },
  on: { type: 'string', format: 'date' },
  ok: { type: 'boolean' },
  p: { type: 'number', 'x-delta-type': 'decimal(6,2)' },
  q: { type: 'string', 'x-delta-type': 'decimal(6,2)' },
  s: { type: 'integer', 'x-delta-type': 'short' },
  f: { type: 'number', 'x-delta-type': 'float' },
  b: { type: 'string', contentEncoding: 'base64' },
  z: { type: 'string', 'x-delta-type': 'timestamp_ntz' },
  o: {
    type: 'object',
    required: ['x'],
    additionalProperties: false,
    properties: { x: { type: ['integer', 'null'] }, y: { type: 'string' } },
  },
  l: { type: 'array', items: { type: ['string', 'null'], maxLength: 3 } },
}

function contractOf(names: readonly string[]): Contract {
  const properties = Object.fromEntries(Object.entries(PROPERTIES).filter(([name]) => names.includes(name)))
  return loadContract({ type: 'object', required: ['id', 'n'], properties }, { source: 'test' })
}

const TEXTS =
  '"" "a" "b\\"" "ü" "\\u00fc" "\\ud83d\\ude00" "\\ud83d" "abcdef" "😀😀😀😀😀" "😀😀😀😀😀😀" "a\\u0000b" "2024-02-29" "2023-02-29" ' +
  '"2024-2-9" "0000-01-01" "9999-12-31" "2024-02-29T12:00:00Z" "2024-02-29t12:00:00z" "2024-02-29 12:00:00Z" "2024-02-29T12:00:00" ' +
  '"2024-02-29T23:59:60Z" "2024-02-29T12:00:60Z" "2024-02-29T24:00:00Z" "2024-02-29T12:00:00.1234567890123+05:30" ' +
  '"2024-02-29T12:00:00+24:00" "2024-02-29T12:00:00+0530" "2024-02-29T12:00:00.Z" "2024-02-30T00:00:00Z" "0001-01-01T00:00:00+23:59" ' +
  '"1.50" "1e2" "123456.7" "12.345" "-0" "=" "QQ==" "QQ" "Q" "Q Q=" "-_-_" "2024-02-29T12:00:00.5"'
const NUMBERS =
  '0 -0 1 -3 -4 1.0 1e2 1E+2 1.5 1e-7 1e17 1e18 1e19 1e300 1e301 1e400 -1e400 999999999999999999 1000000000000000000 ' +
  '9007199254740993 9223372036854775807 9223372036854775808 18446744073709551616 32767 32768 -32769 0.1 0.1000000000000000055 ' +
  '0.10000000000000000000001 1234.56 12345.67 0.005 1.10 5e-324 1e-400 3.4e38 3.5e38 100000000000000000000000000000000000000000'
const OTHERS =
  'null true false [] {} ["a"] ["a",null] ["abcd"] [1] [[]] {"x":1} {"x":null,"y":"z"} {"y":"z"} {"x":1,"w":2} {"x":1.0} {"x":"1"} ' +
  '{"x":1,"x":"2"} {"__proto__":{"x":1}} {"x":1,"__proto__":1} {"\\u0078":1} nul tru [1,] {"x"} 01 1. .5 +1 NaN "a'
const POOL = [
  ...TEXTS.split('" ').map((text) => (text.endsWith('"') ? text : `${text}"`)),
  ...NUMBERS.split(' '),
  ...OTHERS.split(' '),
]

/** Mostly valid values, so that most rows get as far as the field under test. */
const FITTING: Readonly<Record<string, string>> = {
  id: '"a"',
  n: '7',
  d: '0.5',
  k: '"ü"',
  at: '"2024-02-29T12:00:00Z"',
  on: '"2024-02-29"',
  ok: 'true',
  p: '1234.56',
  q: '"1.50"',
  s: '-5',
  f: '1.5',
  b: '"QQ=="',
  z: '"2024-02-29T12:00:00"',
  o: '{"x":1}',
  l: '["a",null]',
}
const NAMES = Object.keys(FITTING)

function records(names: readonly string[]): string[] {
  const one = (fields: readonly (readonly [string, string])[]): string =>
    `{${fields.map(([name, text]) => `"${name}":${text}`).join(',')}}`
  const all = Object.entries(FITTING).filter(([name]) => names.includes(name))
  const texts = [
    '',
    ' ',
    'null',
    '[]',
    '{}',
    '5',
    '"x"',
    one(all),
    ` ${one(all)}\n`,
    `${one(all)}x`,
    `${one(all)},`,
  ]
  // Each field with each value, then random rows: several fields at once, missing, duplicate, reordered, with unknown
  // fields in between.
  for (const name of names) {
    for (const text of POOL) texts.push(one(all.map(([field, fit]) => [field, field === name ? text : fit])))
    texts.push(one(all.filter(([field]) => field !== name)))
    texts.push(one([...all, [name, FITTING[name] ?? '']]), one([[name, '{"deep":[1]}'], ...all]))
  }
  const random = seededRandom(20_260_301)
  const pick = <T>(list: readonly T[]): T => list[random() % list.length] as T
  for (let count = 0; count < 1_500; count++) {
    const fields = all.filter(() => random() % 8 !== 0).map(([name, fit]): [string, string] => [name, fit])
    for (let changes = random() % 3; changes > 0 && fields.length > 0; changes--) pick(fields)[1] = pick(POOL)
    if (random() % 4 === 0)
      fields.splice(random() % (fields.length + 1), 0, [
        pick(['more', '__proto__', 'N', 'id', 'o']),
        pick(POOL),
      ])
    if (random() % 4 === 0) fields.reverse()
    texts.push(one(fields))
  }
  return texts
}

interface Outcome {
  readonly rows: Map<number, unknown>
  readonly refused: Map<number, string>
  readonly tombstones: number
  readonly proven: ReadonlySet<number>
}

async function outcomeOf(texts: readonly string[], contract: Contract): Promise<Outcome> {
  const raw = pack(
    't',
    0,
    texts.map((text, offset) => ({
      key: null,
      value: Buffer.from(text),
      timestamp: '0',
      offset: String(offset),
    })),
    0n,
  )
  const provenance = {
    topic: 't',
    partition: 0,
    follows: undefined,
    first: 0n,
    last: BigInt(texts.length - 1),
    records: texts.length,
    bytes: 0,
    polledAtMs: 0,
    traceparents: [],
    timings: [],
  }
  const format = jsonFormat({ schema: contract.schema, plain: contract.plain })
  const proven = new Set(format.decode(raw).validated?.records ?? [])
  const batch = await lastValueFrom(of({ provenance, payload: raw }).pipe(decode(format), validate(contract)))
  const rows = objectsOf(batch.payload)
  return {
    rows: new Map(rows.map((row, index) => [batch.payload.records[index] as number, row])),
    refused: new Map(
      batch.payload.deadLetters.map(({ offset, reason, message }) => [
        Number(offset),
        `${reason}: ${message}`,
      ]),
    ),
    tombstones: batch.payload.tombstones,
    proven,
  }
}

/** Types that bytes alone can prove; the others are always parsed into objects. */
const PROVEN = ['id', 'n', 'd', 'k', 'at', 'on', 'ok', 'o', 'l']

const cases = [
  ...NAMES.filter((name) => name !== 'id' && name !== 'n').map((name) => ['id', 'n', name]),
  PROVEN,
  NAMES,
]

for (const names of cases) {
  test(`columns and the full check give the same rows and refusals for ${names.join(', ')}`, async () => {
    const texts = records(names)
    const contract = contractOf(names)
    assert.ok(contract.plain !== undefined)
    const byColumns = await outcomeOf(texts, contract)
    const byObjects = await outcomeOf(texts, { ...contract, plain: undefined })
    // Without a plain contract nothing is proven by bytes; with one, most valid records are.
    assert.equal(byObjects.proven.size, 0)
    if (names.every((name) => PROVEN.includes(name)))
      assert.ok(byColumns.proven.size > 300, String(byColumns.proven.size))
    const outcome = ({ rows, refused }: Outcome, index: number): string => {
      const row = rows.get(index)
      if (row !== undefined) return show(row)
      // The JSON value null is counted below.
      return refused.has(index) ? 'refused' : texts[index] === 'null' ? 'tombstone' : 'lost'
    }
    const nulls = texts.filter((text) => text === 'null').length
    assert.deepEqual([byColumns.tombstones, byObjects.tombstones], [nulls, nulls])
    const disagreements = [...texts.entries()].flatMap(([index, text]) => {
      const [left, right] = [outcome(byColumns, index), outcome(byObjects, index)]
      const why = byColumns.refused.get(index) ?? byObjects.refused.get(index) ?? ''
      return left === right && left !== 'lost'
        ? []
        : [`${text}\n  columns: ${left}\n  objects: ${right}\n  ${why}`]
    })
    assert.equal(
      disagreements.length,
      0,
      `${disagreements.length} such as\n${disagreements.slice(0, 6).join('\n')}`,
    )
  })
}

function show(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
