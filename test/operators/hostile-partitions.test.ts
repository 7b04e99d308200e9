import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { after, test } from 'node:test'
import { from, lastValueFrom, of } from 'rxjs'
import { bufferTimeOrCount } from '../../operators/buffer-time-or-count.ts'
import { partitionBy } from '../../operators/partition-by.ts'
import { toArrow } from '../../operators/to-arrow.ts'
import { writeParquet } from '../../operators/write-parquet.ts'
import { decodePath } from '../../src/delta/protocol/paths.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { provenanceOf, rowsOf, structOf } from '../support/flow/batches.ts'
import { layoutFor } from '../support/flow/layouts.ts'

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-hostile-'))
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))

/** A column name of common length. */
const COLUMN = 'a_column_with_a_name_that_is_about_as_long_as_names_of_columns_get'
const schema = structOf({ n: 'long', [COLUMN]: 'string' })
const limits = { count: 1e9, bytes: 1e9, ageMs: 1e6 }

const VALUES = [
  '..',
  '.',
  ' ',
  '../../etc/passwd',
  '/absolute',
  'C:\\windows',
  '%2e%2e%2f',
  '\0',
  '\u0001\n\r\t\u001b[31m\u007f',
  '\u202egnp.exe',
  '__HIVE_DEFAULT_PARTITION__',
  'x'.repeat(100_000),
  '😀'.repeat(300),
  '\u0001'.repeat(300),
  'é'.repeat(300),
  '\'"`$(rm)',
  null,
]

test('Every text is a separate partition with its complete value and a file name that file systems accept', async () => {
  const rows = VALUES.map((value, n) => ({ n, [COLUMN]: value }))
  const batch = { provenance: provenanceOf({ records: rows.length }), payload: rowsOf(schema, rows) }
  const flush = await lastValueFrom(
    of(batch).pipe(
      partitionBy([COLUMN]),
      bufferTimeOrCount(limits),
      toArrow({ layout: () => layoutFor(schema, [COLUMN]) }),
      writeParquet({ store: new LocalStore(folder), parquet: { compression: 'zstd', rowGroupRows: 100 } }),
    ),
  )
  const { adds } = flush.payload
  assert.deepEqual(
    adds.map(({ partitionValues }) => partitionValues[COLUMN]),
    VALUES,
  )
  for (const { path, size } of adds) {
    const file = resolve(folder, decodePath(path))
    assert.ok(file.startsWith(folder + sep), path)
    assert.equal((await stat(file)).size, size, path)
    assert.match(path, /^[\x21-\x7e]+$/)
  }
  for (const name of await readdir(folder)) assert.doesNotMatch(name, /[\0-\x1f\x7f]/)
})

test('Late data in two thousand partitions is written completely, few files at a time', async () => {
  const days = 2_000
  const batches = Array.from({ length: 4 }, (_, batchOf) => {
    const rows = Array.from({ length: days / 2 }, (_row, n) => ({
      n,
      [COLUMN]: `${(n * 2 + batchOf) % days}`,
    }))
    const first = BigInt((batchOf * days) / 2)
    const provenance = provenanceOf({ first, records: rows.length })
    return { provenance, payload: rowsOf(schema, rows, { first }) }
  })
  let open = 0
  let openMax = 0
  const store = {
    uri: 'memory:counting',
    put: async (_key: string, body: Uint8Array | AsyncIterable<Uint8Array>) => {
      openMax = Math.max(openMax, ++open)
      let bytes = 0
      for await (const piece of body as AsyncIterable<Uint8Array>) bytes += piece.length
      open--
      return { bytes }
    },
  }
  const flush = await lastValueFrom(
    from(batches).pipe(
      partitionBy([COLUMN]),
      bufferTimeOrCount({ ...limits, partitionsMax: days }),
      toArrow({ layout: () => layoutFor(schema, [COLUMN]) }),
      writeParquet({ store: store as never, parquet: { compression: 'none', rowGroupRows: 100 } }),
    ),
  )
  const { adds } = flush.payload
  assert.equal(adds.length, days)
  const counts = adds.map(({ stats }) => (JSON.parse(stats ?? '') as { numRecords: number }).numRecords)
  assert.ok(
    counts.every((count) => count === 2),
    'each partition has its two rows',
  )
  assert.ok(openMax <= 16, `${openMax} files at a time`)
})
