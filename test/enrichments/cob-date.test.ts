import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CobDateConfig } from '../../config/rows/cob-date.ts'
import { cobDateColumn } from '../../src/enrichments/cob-date.ts'
import { pack } from '../../src/kafka/source/pack-records.ts'
import { columnsOf, structOf } from '../support/flow/batches.ts'
import { enriched } from './derived.ts'
import { valueAt } from '../../src/arrow/values.ts'
import type { Column } from '../../src/arrow/column.ts'

const DEFAULTS = { column: 'cob_date', format: 'YYYY-MM-DD', timeZone: 'UTC', allowFuture: false } as const
const NOON_MS = Date.UTC(2026, 2, 10, 12)

const schema = structOf({
  cob: 'string',
  on: 'date',
  digits: 'integer',
  s: structOf({ cob: 'string' }),
  at: 'timestamp',
})

/** Returns the dates of rows with these values, and the rules that rows violate. */
function dated(
  config: Partial<CobDateConfig>,
  rows: readonly Record<string, unknown>[],
  timestampMs = NOON_MS,
): { values: unknown[]; rules: Record<string, string> } {
  const enrichment = cobDateColumn({ ...DEFAULTS, ...config }, schema)
  assert.ok(enrichment !== undefined, 'there is a date')
  const { values, rejected } = enriched(enrichment, schema, rows, { timestampMs })
  const rules = Object.fromEntries(
    Object.entries(rejected).map(([row, message]) => [
      row,
      /breaks the rule (\w+): /.exec(message)?.[1] ?? message,
    ]),
  )
  return { values, rules }
}

/** Returns the dates and violations of records with these keys, or with these values of the header `cob`. */
function datedBy(
  where: 'key' | 'header',
  config: Partial<CobDateConfig>,
  texts: readonly (string | Uint8Array | null | readonly (string | null)[] | undefined)[],
): readonly unknown[] {
  const records = texts.map((text, index) => {
    const bytes = (one: string | Uint8Array | null): Buffer | null =>
      one === null ? null : Buffer.from(one as string)
    const value =
      text === undefined || text === null
        ? null
        : typeof text === 'string' || text instanceof Uint8Array
          ? bytes(text)
          : text.map(bytes)
    const at = { value: Buffer.from('{}'), timestamp: String(NOON_MS), offset: String(index) }
    return where === 'key'
      ? { ...at, key: value as Buffer | null }
      : { ...at, key: null, headers: text === undefined ? {} : { cob: value } }
  })
  const from = where === 'key' ? 'key' : 'header:cob'
  const enrichment = cobDateColumn({ ...DEFAULTS, from, ...config }, schema)
  const rows = {
    raw: pack('events', 0, records, 0n),
    columns: columnsOf(
      schema,
      texts.map(() => ({})),
    ),
    records: Int32Array.from(texts.keys()),
    deadLetters: [],
    tombstones: 0,
    filtered: 0,
  }
  const rules: Record<number, string | undefined> = {}
  const columns = enrichment?.columns(rows, (row, message) => {
    rules[row] = /breaks the rule (\w+): /.exec(message)?.[1]
  })
  return texts.map((_, row) => rules[row] ?? valueAt(columns?.[0] as Column, row))
}

test('The date is taken from a column of the value or a struct field, for each type that can hold one', () => {
  const row = { cob: '2026-03-09', on: '2026-03-08', digits: 20_260_307, s: { cob: '2026-03-06' } }
  assert.deepEqual(dated({ from: 'value:cob' }, [row]).values, ['2026-03-09'])
  assert.deepEqual(dated({ from: 'value:on' }, [row]).values, ['2026-03-08'])
  assert.deepEqual(dated({ from: 'value:digits', format: 'YYYYMMDD' }, [row]).values, ['2026-03-07'])
  assert.deepEqual(dated({ from: 'value:s.cob' }, [row]).values, ['2026-03-06'])
})

test('A date that is missing, malformed or impossible breaks its rule', () => {
  const texts = [
    '2026-03-10',
    null,
    '20260310',
    '2026-3-10',
    ' 2026-03-10',
    '2026-02-30',
    '2026-03-10T00:00:00Z',
    '',
  ]
  const { rules } = dated(
    { from: 'value:cob' },
    texts.map((cob) => ({ cob })),
  )
  assert.deepEqual(rules, {
    1: 'missing',
    2: 'format',
    3: 'format',
    4: 'format',
    5: 'format',
    6: 'format',
    7: 'format',
  })
})

test('Dates after the day of the record, or too long before it, break their rules; dates at the limit do not', () => {
  const rows = ['2026-03-11', '2026-03-10', '2026-03-07', '2026-03-06', '9999-12-31', '0001-01-01'].map(
    (cob) => ({ cob }),
  )
  const { rules } = dated({ from: 'value:cob', daysBackMax: 3 }, rows)
  assert.deepEqual(rules, { 0: 'future', 3: 'daysBack', 4: 'future', 5: 'daysBack' })
  assert.deepEqual(dated({ from: 'value:cob', allowFuture: true }, rows).rules, {})
})

test('The day of the record is its Kafka timestamp in the time zone', () => {
  const rows = [{ cob: '2026-03-11' }]
  const late = Date.UTC(2026, 2, 10, 23)
  assert.deepEqual(dated({ from: 'value:cob' }, rows, late).rules, { 0: 'future' })
  assert.deepEqual(dated({ from: 'value:cob', timeZone: 'Europe/Berlin' }, rows, late).rules, {})
})

test('Without a Kafka timestamp a date with limits breaks the clock rule', () => {
  const rows = [{ cob: '2026-03-10' }]
  assert.deepEqual(dated({ from: 'value:cob' }, rows, -1).rules, { 0: 'clock' })
  assert.deepEqual(dated({ from: 'value:cob', allowFuture: true }, rows, -1).rules, {})
})

test('A Kafka timestamp beyond the year 9999 counts as none, so that a date with limits breaks the clock rule', () => {
  const rows = [{ cob: '2026-03-10' }]
  assert.deepEqual(dated({ from: 'value:cob' }, rows, 253_402_300_800_000).rules, { 0: 'clock' })
  assert.deepEqual(dated({ from: 'value:cob', daysBackMax: 3 }, rows, 1e17).rules, { 0: 'clock' })
  assert.deepEqual(dated({ from: 'value:cob' }, rows, 253_402_300_799_999).rules, {})
})

test('The first group of a pattern finds the date in the key', () => {
  const config = { pattern: '^[A-Z]+\\|(\\d{8})$', format: 'YYYYMMDD' } as const
  const keys = [
    'ABC|20260309',
    'ABC|2026039',
    '20260309',
    undefined,
    'ABC|20261309',
    Uint8Array.of(0xff, 0xfe),
  ]
  assert.deepEqual(datedBy('key', config, keys), [
    '2026-03-09',
    'pattern',
    'pattern',
    'missing',
    'format',
    'pattern',
  ])
})

test('A pattern without a group uses the whole match, and hostile text takes linear time', () => {
  assert.deepEqual(datedBy('key', { pattern: '\\d{4}-\\d\\d-\\d\\d' }, ['x2026-03-09x']), ['2026-03-09'])
  const hostile = `${'a'.repeat(1000)}!`
  assert.deepEqual(datedBy('key', { pattern: '^(a+)+$' }, [hostile, 'é'.repeat(2000)]), ['pattern', 'length'])
})

test('Of several headers with one name the last counts, and inherited property names are missing', () => {
  const headers = ['2026-03-09', ['2026-03-01', '2026-03-02'], undefined]
  assert.deepEqual(datedBy('header', {}, headers), ['2026-03-09', '2026-03-02', 'missing'])
  assert.deepEqual(datedBy('header', { from: 'header:constructor' }, ['2026-03-09']), ['missing'])
  assert.deepEqual(datedBy('header', {}, [null, ['2026-03-01', null]]), ['missing', 'missing'])
})

test('When the source is the requested column, rows are checked and keep it', () => {
  const enrichment = cobDateColumn({ ...DEFAULTS, from: 'value:cob', column: 'cob' }, schema)
  assert.deepEqual(enrichment?.fields, [])
  const rows = [{ cob: '2026-03-09' }, { cob: '2027-03-09' }]
  const rejected: number[] = []
  const columns = enrichment.columns(
    {
      raw: pack(
        'events',
        0,
        rows.map((_, i) => ({
          key: null,
          value: Buffer.from('x'),
          timestamp: String(NOON_MS),
          offset: String(i),
        })),
        0n,
      ),
      columns: columnsOf(schema, rows),
      records: Int32Array.of(0, 1),
      deadLetters: [],
      tombstones: 0,
      filtered: 0,
    },
    (row) => rejected.push(row),
  )
  assert.deepEqual([columns, rejected], [[], [1]])
})

test('A column that is missing, or cannot hold a date, is refused at startup', () => {
  for (const from of ['value:nothing', 'value:at', 'value:s'])
    assert.throws(() => cobDateColumn({ ...DEFAULTS, from }, schema), { code: 'KD_CONFIG_INVALID' }, from)
  assert.equal(cobDateColumn(DEFAULTS, schema), undefined)
})
