import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { ZoneOffsets } from '../../src/enrichments/time-zone.ts'
import { chanceOf } from '../support/values/chance.ts'

const at = (zone: ZoneOffsets, text: string): number => zone.at(Date.parse(text) / 1000)

/** Instants next to offset changes and their offsets, according to Python's zoneinfo. */
const CHANGES: readonly (readonly [zone: string, utc: string, seconds: number])[] = [
  ['Europe/Berlin', '2026-03-29T00:59:59Z', 3600],
  ['Europe/Berlin', '2026-03-29T01:00:00Z', 7200],
  ['Europe/Berlin', '2026-10-25T00:59:59Z', 7200],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', 3600],
  ['America/St_Johns', '2006-10-29T02:30:59Z', -9000],
  ['America/St_Johns', '2006-10-29T02:31:00Z', -12_600],
  ['Pacific/Apia', '2011-12-30T09:59:59Z', -36_000],
  ['Pacific/Apia', '2011-12-30T10:00:00Z', 50_400],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 37_800],
  ['Africa/Casablanca', '2026-02-15T01:59:59Z', 3600],
  ['Africa/Casablanca', '2026-02-15T02:00:00Z', 0],
  ['America/New_York', '1883-11-18T16:59:59Z', -17_762],
  ['America/New_York', '1883-11-18T17:00:00Z', -18_000],
  ['Asia/Kathmandu', '2026-06-01T18:14:59Z', 20_700],
  ['Etc/UTC', '2026-06-01T00:00:00Z', 0],
]

for (const [name, utc, seconds] of CHANGES) {
  test(`${name} is ${seconds} s from UTC at ${utc}`, () => {
    assert.equal(at(new ZoneOffsets(name), utc), seconds)
  })
}

test('Offsets agree with DuckDB at random instants of four centuries in zones of every kind', async (t) => {
  const chance = chanceOf(t)
  const names = [
    'Europe/Berlin',
    'America/Sao_Paulo',
    'Asia/Tehran',
    'Africa/Cairo',
    'Antarctica/Troll',
    'Pacific/Chatham',
  ]
  const from = Date.UTC(1970) / 1000
  const instants = Array.from({ length: 400 }, () => from + chance.int(430 * 31_556_952))
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  for (const name of names) {
    const zone = new ZoneOffsets(name)
    const reader = await connection.runAndReadAll(
      `SELECT epoch(timezone('${name}', to_timestamp(s)))::BIGINT - s FROM (SELECT unnest([${instants.join()}]::BIGINT[]) AS s)`,
    )
    const expected = reader.getRows().map(([seconds]) => Number(seconds))
    assert.deepEqual(
      instants.map((instant) => zone.at(instant)),
      expected,
      name,
    )
  }
})

test('Before the first offset change the first offset applies, and after the year 2500 the calendar repeats', () => {
  const berlin = new ZoneOffsets('Europe/Berlin')
  assert.equal(at(berlin, '0001-01-01T00:00:00Z'), 3208)
  assert.equal(at(berlin, '1750-06-01T00:00:00Z'), 3208)
  assert.equal(at(berlin, '2499-12-31T23:59:59Z'), 3600)
  assert.equal(at(berlin, '9999-07-01T00:00:00Z'), at(berlin, '2399-07-01T00:00:00Z'))
  assert.equal(at(berlin, '9999-07-01T00:00:00Z'), 7200)
})

test('The same instants in any order have the same offsets', (t) => {
  const chance = chanceOf(t)
  const [one, other] = [new ZoneOffsets('America/New_York'), new ZoneOffsets('America/New_York')]
  const instants = Array.from({ length: 300 }, () => chance.int(2_000_000_000))
  const offsets = new Map([...instants].sort((a, b) => a - b).map((instant) => [instant, one.at(instant)]))
  for (const instant of instants) assert.equal(other.at(instant), offsets.get(instant))
})
