import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadContract } from '../../../src/contract/contract.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { formatContract } from '../../contracts/format.ts'
import { rawOf } from '../../support/flow/batches.ts'
import { chanceOf } from '../../support/values/chance.ts'
import {
  deep,
  KEYS,
  mutated,
  NUMBERS,
  ODD_KEYS,
  recordBy,
  SCHEMA,
  STRINGS,
  TIMES,
  VALUES,
} from '../../support/values/json-records.ts'
import { outcomesOf } from '../../support/flow/outcomes.ts'

const contract = loadContract(SCHEMA, { source: 'test' })
const fast = () => jsonFormat({ schema: contract.schema, plain: contract.plain })
const slow = () => jsonFormat({ schema: contract.schema, plain: undefined })

const NULLS = Object.fromEntries(contract.schema.fields.map(({ name }) => [name, null]))
const MINIMAL = '{"id":"a","at":"2026-01-01T00:00:00Z"}'
const withMember = (member: string): string => `{"id":"a","at":"2026-01-01T00:00:00Z",${member}}`

formatContract({
  name: 'JSON',
  open: fast,
  contract,
  good: [
    { bytes: Buffer.from(MINIMAL), row: { ...NULLS, id: 'a', at: '2026-01-01T00:00:00.000000Z' } },
    {
      bytes: Buffer.from(
        ' {"tags":["x",null],"where":{"page":"p"},"n":5,"unknown":{"a":[1,2]},"at":"2026-01-01T01:00:00+01:00","id":"\\u00e9"}\n',
      ),
      row: {
        ...NULLS,
        id: 'é',
        at: '2026-01-01T00:00:00.000000Z',
        tags: ['x', null],
        n: 5,
        where: { page: 'p', depth: null },
      },
    },
  ],
  bad: [
    '',
    ' ',
    '5',
    '[]',
    '"x"',
    '{',
    '{}',
    `${MINIMAL}${MINIMAL}`,
    '{"id":"a"}',
    '{"id":5,"at":"2026-01-01T00:00:00Z"}',
  ].map((text) => Buffer.from(text)),
})

test('The contract of these tests can be proven by bytes; otherwise they would compare a path with itself', () => {
  const decoded = fast().decode(rawOf([MINIMAL]))
  assert.deepEqual([decoded.validated?.columns.length, decoded.objects.length], [1, 0])
  assert.equal(slow().decode(rawOf([MINIMAL])).validated, undefined)
})

/**
 * Asserts that both paths give the same result for every record of a batch: the same row, or dead letters with the
 * same reason.
 */
function assertSame(values: readonly (string | Uint8Array | null)[]): { rows: number; letters: number } {
  const raw = rawOf(values)
  const [ours, theirs] = [fast, slow].map((open) => outcomesOf(open(), contract, raw))
  for (const [index, outcome] of (ours ?? []).entries())
    assert.deepEqual(outcome, theirs?.[index], `record ${index}: ${String(values[index]).slice(0, 500)}`)
  const rows = (ours ?? []).filter((outcome) => typeof outcome === 'object' && 'row' in outcome).length
  return { rows, letters: (ours?.length ?? 0) - rows }
}

test('Records decoded into columns give the same rows and dead letters as records parsed by JSON.parse and validated', (t) => {
  const chance = chanceOf(t)
  let rows = 0
  let letters = 0
  for (let round = 0; round < 60; round++) {
    const values = Array.from({ length: 60 }, () => mutated(recordBy(chance), chance))
    const counts = assertSame(values)
    rows += counts.rows
    letters += counts.letters
  }
  t.diagnostic(`${rows} rows, ${letters} dead letters and tombstones`)
  assert.ok(rows > 300 && letters > 300, `${rows} rows, ${letters} others`)
})

test('Every number, time, text and value under every key is the same on both paths', () => {
  const texts = [...NUMBERS, ...VALUES, ...[...TIMES, ...STRINGS].map((text) => `"${text}"`)]
  for (const key of [...KEYS.slice(2), ...ODD_KEYS])
    assertSame(texts.map((text) => withMember(`${key}:${text}`)))
  assertSame(texts.map((text) => `{"id":${text},"at":"2026-01-01T00:00:00Z"}`))
  assertSame(texts.map((text) => `{"at":${text},"id":"a"}`))
})

test('A record truncated at any byte is the same on both paths, also when the next record would complete it', () => {
  const whole = withMember(
    '"n":12,"where":{"page":"é🙂","depth":null},"items":[{"n":1,"l":[1.5,2]}],"unknown":[{"a":"b"}],"kind":"a"',
  )
  const bytes = Buffer.from(whole)
  const cuts = Array.from(bytes.keys())
  assertSame(cuts.map((at) => bytes.subarray(0, at)))
  for (const at of cuts)
    assert.equal(assertSame([bytes.subarray(0, at), bytes.subarray(at), MINIMAL]).rows, at === 0 ? 2 : 1)
})

test('Records that are valid JSON only when joined are dead letters', () => {
  const open = withMember('"n":1').slice(0, -1)
  assert.deepEqual(assertSame([open, '}', MINIMAL]), { rows: 1, letters: 2 })
  assert.deepEqual(assertSame([open, `,"d":1}`]), { rows: 0, letters: 2 })
  assert.deepEqual(assertSame(['', MINIMAL, ' ', MINIMAL, '']), { rows: 2, letters: 3 })
  assert.deepEqual(assertSame([`${open}2`, '3}']), { rows: 0, letters: 2 })
})

test('Invalid UTF-8 affects only its own record', () => {
  const e = Buffer.from('é')
  const front = Buffer.concat([Buffer.from(withMember('"where":{"page":"').slice(0, -1)), e.subarray(0, 1)])
  const back = Buffer.concat([e.subarray(1), Buffer.from('"}}')])
  const inside = Buffer.concat([
    Buffer.from('{"id":"'),
    Buffer.from([0xff]),
    Buffer.from('","at":"2026-01-01T00:00:00Z"}'),
  ])
  const halved = Buffer.concat([Buffer.from(MINIMAL), e.subarray(0, 1)])
  const started = Buffer.concat([e.subarray(1), Buffer.from(MINIMAL)])
  for (const bytes of [front, back, inside, halved, started])
    assert.deepEqual(assertSame([MINIMAL, bytes, MINIMAL]), { rows: 2, letters: 1 })
  assert.deepEqual(assertSame([halved, started]), { rows: 0, letters: 2 })
  // An overlong encoding, a surrogate, and a value beyond the last code point.
  for (const bytes of [
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ])
    assert.deepEqual(
      assertSame([
        Buffer.concat([
          Buffer.from('{"id":"'),
          Buffer.from(bytes),
          Buffer.from('","at":"2026-01-01T00:00:00Z"}'),
        ]),
      ]),
      { rows: 0, letters: 1 },
    )
})

test('With random bytes, every record is a row or a dead letter with a reason', () => {
  const megabyte = 'x'.repeat(1 << 20)
  const garbage = [
    '',
    null,
    Buffer.from([0xff, 0xfe, 0x00]),
    withMember(`"unknown":"${megabyte}"`),
    withMember(`"naïve":"${megabyte}"`),
    `{"id":"${megabyte}"}`,
    withMember(`"unknown":${deep(10_000)}`),
    withMember(`"n":${deep(10_000)}`),
    withMember(`"items":${deep(10_000)}`),
    deep(10_000),
    '['.repeat(10_000),
    '{"a":'.repeat(10_000),
    withMember(`"unknown":[${deep(10_000)},12345678901234567890]`),
    withMember('"big":1e400'),
    withMember('"big":99999999999999999999'),
    withMember('"d":1e999'),
    withMember('"n":1,"n":2'),
    withMember('"n":1,"n":"x"'),
    withMember('"ok":"true"'),
    withMember('"tags":{}'),
    withMember('"__proto__":{"id":5}'),
    withMember('"constructor":{"prototype":null}'),
    '{"__proto__":{"id":"a","at":"2026-01-01T00:00:00Z"}}',
    'undefined',
    '\0',
  ]
  const { rows, letters } = assertSame(garbage)
  assert.equal(rows + letters, garbage.length)
  const outcomes = outcomesOf(fast(), contract, rawOf(garbage))
  for (const outcome of outcomes)
    if (typeof outcome === 'object' && 'reason' in outcome)
      assert.ok(outcome.message.length > 0 && outcome.message.length < 2000)
  assert.equal((outcomes[16] as { row: { n: number } }).row.n, 2)
  assert.equal(typeof outcomes[20] === 'object' && 'row' in outcomes[20], true)
  assert.equal(typeof outcomes[22] === 'object' && 'reason' in outcomes[22], true)
})

test('A byte order mark before a value is no part of it, with and without columns to decode into', () => {
  const values = [MINIMAL, ' {"id":"\\u00e9","at":"2026-01-01T00:00:00Z"}', '', '{']
  for (const format of [fast(), slow()]) {
    const marked = outcomesOf(format, contract, rawOf(values.map((text) => `\ufeff${text}`)))
    assert.deepEqual(marked, outcomesOf(format, contract, rawOf(values)))
    assert.equal(format.decode(rawOf(['\ufeffnull'])).tombstones, 1)
  }
})

test('A value nested too deeply is a dead letter that says so', () => {
  const text = `{"id":${'['.repeat(5000)}${']'.repeat(5000)}}`
  for (const keepFractions of [false, true]) {
    const { deadLetters } = jsonFormat({ ...contract, plain: undefined, keepFractions }).decode(rawOf([text]))
    assert.deepEqual(
      deadLetters.map(({ reason, message }) => [reason, message]),
      [['decode', 'expected at most 1,000 nested levels, got more']],
    )
  }
})

test('A message that is only a number is a dead letter, also if a double cannot hold it', () => {
  const values = ['1.5', '1e400', '12345678901234567890.5', '99999999999999999999']
  const expected = ['a number', 'a number', 'a number', 'a bigint']
  for (const keepFractions of [false, true]) {
    const decoded = jsonFormat({
      schema: { type: 'struct', fields: [] },
      plain: undefined,
      keepFractions,
    }).decode(rawOf(values))
    assert.deepEqual(decoded.objects, [])
    assert.deepEqual(
      decoded.deadLetters.map(({ message }) => message),
      expected.map((kind) => `expected a JSON object, got ${kind}`),
    )
  }
})

test('Bytes between values that are no UTF-8, such as keys, refuse no record and leave columns their way from bytes', () => {
  const { bytes, valueStart, valueEnd, ...rest } = rawOf([MINIMAL, '{"id":"\xff"}', MINIMAL])
  const shifted = Buffer.concat([Buffer.from([0xff, 10]), bytes])
  const move = (at: number): number => at + 2
  const invalid = shifted.indexOf('\xff', 0, 'utf8')
  shifted.set([0xff, 0x22], invalid)
  const raw = { ...rest, bytes: shifted, valueStart: valueStart.map(move), valueEnd: valueEnd.map(move) }
  const decoded = fast().decode(raw)
  assert.deepEqual([...(decoded.validated?.records ?? [])], [0, 2])
  assert.deepEqual(
    decoded.deadLetters.map(({ message }) => message),
    ['expected UTF-8, got invalid bytes'],
  )
})
