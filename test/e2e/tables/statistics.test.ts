// Goal: what `add.stats` says of a file is what is in the file. Method: DuckDB computes the same from each file.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { kafkaForTests, nameForTests } from '../../support/servers/servers.ts'
import { actionsOf, carry } from '../support/carry.ts'

interface Stats {
  readonly numRecords: number
  readonly minValues: Record<string, unknown>
  readonly maxValues: Record<string, unknown>
  readonly nullCount: Record<string, unknown>
}

/** Columns of the user events with bounds, as SQL; text of 36 characters and more is bounded by its beginning. */
const EXACT = [
  'user_id',
  'event_type',
  'timestamp',
  'country',
  'amount',
  'properties.referrer',
  '_kafka_partition',
  '_kafka_offset',
]
const CUT = ['event_id', '_kafka_key', 'properties.page']

test('statistics in every add equal those computed from the file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'statistics-'))
  try {
    const uri = join(folder, 'table')
    await carry({
      brokers: await kafkaForTests(),
      topic: nameForTests('statistics'),
      uri,
      folder,
      records: 20_000,
      badEvery: 100,
      flushCount: 2_000,
      seed: 13,
    })
    const versions = (await readdir(join(uri, '_delta_log'))).filter((name) =>
      /^\d{20}\.json$/.test(name),
    ).length
    const adds = actionsOf(uri, versions).flatMap(({ add }) => (add === undefined ? [] : [add]))
    assert.ok(adds.length >= 3, `expected several files, got ${adds.length}`)
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run("SET TimeZone = 'UTC'")
    for (const add of adds) {
      const path = join(uri, decodeURIComponent(String(add['path'])))
      const stats = JSON.parse(String(add['stats'])) as Stats
      const query = async (expression: string): Promise<unknown> => {
        const reader = await connection.runAndReadAll(
          `SELECT ${expression} AS value FROM read_parquet('${path}')`,
        )
        return reader.getRowsJson()[0]?.[0]
      }
      assert.equal(Number(await query('count(*)')), stats.numRecords)
      for (const column of [...EXACT, ...CUT]) {
        assert.equal(
          Number(await query(`count(*) - count(${column})`)),
          at(stats.nullCount, column),
          `nulls of ${column}`,
        )
      }
      for (const column of EXACT) {
        for (const [bound, values] of [
          ['min', stats.minValues],
          ['max', stats.maxValues],
        ] as const) {
          assert.equal(
            plain(await query(`${bound}(${column})`)),
            plain(at(values, column) ?? null),
            `${bound} of ${column}`,
          )
        }
      }
      for (const column of CUT) {
        const least = String(await query(`min(${column})`))
        const most = String(await query(`max(${column})`))
        assert.equal(at(stats.minValues, column), least.slice(0, 32))
        const max = String(at(stats.maxValues, column))
        assert.ok(
          most.length <= 32
            ? max === most
            : max > most && max.length === 32 && max.slice(0, 31) === most.slice(0, 31),
          `max of ${column}`,
        )
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

function at(values: Record<string, unknown>, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], values)
}

/** Numbers and timestamps as both sides can write them. */
function plain(value: unknown): string {
  const text = String(value)
  const time = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00)$/.exec(text)
  if (time !== null) return `${time[1]}T${time[2]}.${(time[3] ?? '').padEnd(6, '0')}Z`
  return text !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text
}
