import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  concat,
  concatMap,
  delay,
  EMPTY,
  filter,
  identity,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  take,
  timer,
  toArray,
  type MonoTypeOperatorFunction,
} from 'rxjs'
import { selectRows, type Rows } from '../../../src/arrow/rows.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { Credit } from '../../../src/core/credit/credit.ts'
import { messageOf, PipelineError } from '../../../src/core/errors.ts'
import { checkedOperator } from '../../../src/core/stage/operator-contract.ts'
import { openTableWriter } from '../../../src/delta/commit/log-writer.ts'
import { createTable } from '../../../src/delta/maintenance/create.ts'
import { kafkaColumns } from '../../../src/enrichments/kafka-columns.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { pipeline } from '../../../src/pipeline.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { FakeSource } from '../../support/flow/fake-source.ts'
import { chanceBy, chanceOf, type Chance } from '../../support/values/chance.ts'
import { versionsOf } from '../../support/values/table-rows.ts'

const RUNS = 500
const RECORDS = 60
type RowBatch = Batch<Rows>
type RowsOperator = MonoTypeOperatorFunction<RowBatch>

const contract = loadContract({ type: 'object', properties: { v: { type: 'integer' } } }, { source: 'test' })
const topic = [0, 1].map(() => Array.from({ length: RECORDS }, (_, offset) => `{"v":${offset}}`))

const onRows = (change: (rows: Rows) => Rows): RowsOperator =>
  map(({ provenance, payload }) => ({ provenance, payload: change(payload) }))

/** Makes operators, each of which breaks the contract now and then, or keeps it. */
const MISTAKES: Readonly<Record<string, (chance: Chance) => RowsOperator>> = {
  nothing: () => identity,
  'delays in order': (chance) => concatMap((batch) => timer(chance.int(2)).pipe(map(() => batch))),
  drops: (chance) => filter(() => !chance.once(4)),
  doubles: (chance) => concatMap((batch) => (chance.once(4) ? [batch, batch] : [batch])),
  splits: (chance) =>
    concatMap((batch) => {
      const { provenance, payload } = batch
      if (provenance.records < 2 || !chance.once(3)) return [batch]
      const last = provenance.first
      return [
        { payload: selectRows(payload, Int32Array.of(0)), provenance: { ...provenance, last, records: 1 } },
        { payload, provenance: { ...provenance, follows: last, first: last + 1n } },
      ]
    }),
  reorders: (chance) => mergeMap((batch) => timer(chance.int(4)).pipe(map(() => batch))),
  throws: (chance) =>
    map((batch) => {
      if (chance.once(6)) throw new TypeError('no')
      return batch
    }),
  rejects: (chance) => concatMap((batch) => (chance.once(6) ? Promise.reject(new Error('no')) : [batch])),
  'emits promises': (chance) =>
    map((batch) => (chance.once(6) ? (Promise.reject(new Error('no')) as unknown as RowBatch) : batch)),
  'loses rows': (chance) =>
    onRows((rows) =>
      chance.once(4) ? selectRows(rows, Int32Array.from(rows.records.keys()).subarray(1)) : rows,
    ),
  'doubles rows': (chance) =>
    onRows((rows) =>
      chance.once(4)
        ? selectRows(
            rows,
            rows.records.map((_, row) => row >> 1),
          )
        : rows,
    ),
  'changes the provenance': (chance) =>
    map(({ provenance, payload }) => ({
      payload,
      provenance: chance.once(5) ? { ...provenance, last: provenance.last + 1n } : provenance,
    })),
  'completes early': (chance) => take(1 + chance.int(8)),
  'never completes': () => (batches) => concat(batches, NEVER),
  'holds back': (chance) => mergeMap((batch) => (chance.once(6) ? NEVER : [batch])),
  'reads nothing': () => () => EMPTY,
  'is late': () => delay(1),
}

/** Operators that never do what is due; no others have a limit that the speed of the machine could exceed. */
const SILENT = ['never completes', 'holds back']

/** Carries the topic through one operator; returns the error and the places of the rows in the table. */
async function carry(
  chance: Chance,
  operator: RowsOperator,
  heldMsMax?: number,
): Promise<{ error?: unknown; rows: string[] }> {
  const store = new MemoryStore()
  const fields = [...contract.schema.fields, ...kafkaColumns().fields]
  await createTable(store, { schema: { type: 'struct', fields }, partitionColumns: [] })
  const table = await openTableWriter(store)
  const credit = new Credit(4_000_000)
  const resume = (partition: number): Promise<bigint | undefined> => table.txn(`app-${partition}`)
  const source = new FakeSource({ topic, partitions: [0, 1], credit, chance, resume })
  const commits = pipeline(
    source.batches,
    {
      ...{ source, credit, table, store, contract, appId: 'app' },
      format: jsonFormat({ schema: contract.schema, plain: contract.plain }),
      rows: checkedOperator('random', operator, { heldMsMax }),
      enrichments: [kafkaColumns()],
      deadLetters: { write: () => Promise.resolve() },
    },
    {
      partitionColumns: [],
      flush: { count: 30, bytes: 1e9, ageMs: 60_000 },
      parquet: { compression: 'none', rowGroupRows: 1000 },
    },
  )
  const error = await lastValueFrom(commits.pipe(toArray())).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const rows = (await versionsOf(store)).flatMap((version) => [...version.rows])
  return { error, rows }
}

test(`${RUNS} random operators, most of them wrong: an error with a code, or every record once`, async (t) => {
  const { seed } = chanceOf(t)
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  const all = topic.flatMap((values, partition) => values.map((_, offset) => `${partition}/${offset}`)).sort()
  const outcomes = { correct: 0, refused: 0 }
  const kinds = Object.entries(MISTAKES)
  const run = async (index: number): Promise<void> => {
    const chance = chanceBy(seed + index)
    const [name, make] = kinds[index % kinds.length] as (typeof kinds)[number]
    const { error, rows } = await carry(chance, make(chance), SILENT.includes(name) ? 50 : undefined)
    assert.equal(new Set(rows).size, rows.length, `${name}, run ${index}: a row is in the table twice`)
    if (error === undefined) {
      outcomes.correct++
      assert.deepEqual([...rows].sort(), all, `${name}, run ${index}`)
    } else {
      outcomes.refused++
      assert.ok(error instanceof PipelineError, `${name}, run ${index}: ${messageOf(error)}`)
      assert.match(error.code, /^KD_OPERATOR_/, `${name}, run ${index}: ${error.message}`)
    }
    if (['nothing', 'delays in order', 'is late'].includes(name)) assert.equal(error, undefined, name)
  }
  for (let from = 0; from < RUNS; from += 20)
    await Promise.all(Array.from({ length: 20 }, (_, index) => run(from + index)))
  await new Promise((resolve) => setTimeout(resolve, 5))
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
  assert.deepEqual(unhandled, [])
  assert.ok(outcomes.correct > 80 && outcomes.refused > 200, JSON.stringify(outcomes))
})
