// Goal: a table whose columns grew with its messages is read by delta-rs and DuckDB as by `table cat`.
// Method: two workers carry messages of many versions into one table on disk at once; rows are compared one by one.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { structOf } from '../../support/flow/batches.ts'
import { chanceBy, chanceOf } from '../../support/values/chance.ts'
import { carryAll, evolvingWorker, json, tableOf } from '../../support/flow/evolving.ts'
import { hasPython, pythonLines, pythonWithReaders } from '../support/python.ts'

const SCRIPT = join(import.meta.dirname, '../support', 'read_table.py')
// Python is no prerequisite; where it is absent, only our own reader looks.
const python = (await hasPython()) ? await pythonWithReaders() : undefined

const VERSIONS = [
  {},
  { a: 1, s: { x: 'text' } },
  { a: 2.5, s: { x: 'text', y: { z: true } } },
  { l: [{ n: 1 }, { n: 2, more: 'm' }], a: null },
  { mixed: 1 },
  { mixed: { as: ['text'] }, l: [] },
]

for (const mode of ['none', 'name']) {
  test(`a table that grew while two workers wrote it is read alike, column mapping ${mode}`, async (t) => {
    const chance = chanceOf(t)
    const folder = await mkdtemp(join(tmpdir(), 'evolution-'))
    try {
      const uri = join(folder, 'table')
      const store = await openStore(uri)
      const configuration = mode === 'none' ? {} : { 'delta.columnMapping.mode': mode }
      // DuckDB shows no partition values of a table with column mapping.
      const partitionColumns = mode === 'none' ? ['p'] : []
      await tableOf(store, structOf({ v: 'long', p: 'string' }), { configuration, partitionColumns })
      const topic = [0, 1].map(() =>
        json(
          Array.from({ length: 200 }, (_, v) => ({ v, p: `p${v % 3}`, ...VERSIONS[chance.int(1 + v / 35)] })),
        ),
      )
      const workers = await Promise.all(
        [0, 1].map((p) =>
          evolvingWorker(store, {
            topic,
            partitions: [p],
            chance: chanceBy(chance.int(1e9)),
            flushCount: 40,
          }),
        ),
      )
      await Promise.all(workers.map(carryAll))
      // What was given up after a source had come to its end.
      const rest = await evolvingWorker(store, { topic, chance })
      workers.push(rest)
      await carryAll(rest)
      const ours: string[] = []
      for await (const line of readRowLines(store, await loadSnapshot(store))) ours.push(line)
      const letters = workers.flatMap((worker) => worker.letters)
      assert.equal(ours.length + letters.length, 400)
      const places = byPlace(ours)
      // delta-rs reads no table with column mapping.
      const readers = mode === 'none' ? ['delta-rs', 'duckdb'] : ['duckdb']
      for (const reader of python === undefined ? [] : readers) {
        const theirs = byPlace(await pythonLines(python ?? '', [SCRIPT, reader, uri], {}))
        assert.equal(theirs.size, places.size, reader)
        for (const [place, row] of places) assert.deepEqual(theirs.get(place), row, `${reader}, row ${place}`)
      }
      t.diagnostic(`${ours.length} rows, ${letters.length} dead letters`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}

function byPlace(lines: readonly string[]): Map<string, unknown> {
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const places = new Map(
    rows.map((row) => [`${String(row['_kafka_partition'])}/${String(row['_kafka_offset'])}`, row]),
  )
  assert.equal(places.size, lines.length, 'a row stands twice')
  return places
}
