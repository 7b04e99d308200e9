import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastValueFrom, map, toArray } from 'rxjs'
import type { PipelineCommit } from '../operators/commit-offsets.ts'
import { loadContract } from '../src/contract/contract.ts'
import type { DeadLetter, OffsetRange } from '../src/core/batch.ts'
import { PipelineError } from '../src/core/errors.ts'
import { Credit } from '../src/core/credit/credit.ts'
import { createTable } from '../src/delta/maintenance/create.ts'
import { loadSnapshot } from '../src/delta/log/snapshot.ts'
import { openTableWriter } from '../src/delta/commit/log-writer.ts'
import { kafkaColumns } from '../src/enrichments/kafka-columns.ts'
import { jsonFormat } from '../src/formats/json/format.ts'
import { pipeline } from '../src/pipeline.ts'
import { MemoryStore, type MemoryOptions } from '../src/storage/memory.ts'
import type { Store } from '../src/storage/store.ts'
import { chanceBy, chanceOf, type Chance } from './support/values/chance.ts'
import { FakeSource, type Topic } from './support/flow/fake-source.ts'
import { versionsOf } from './support/values/table-rows.ts'

const contract = loadContract(
  { type: 'object', required: ['v'], properties: { v: { type: 'integer' }, s: { type: 'string' } } },
  { source: 'test' },
)
const APP_ID = 'app'

/** A clock whose waits end at once: nothing here depends on time. */
const clock = {
  now: () => 1_772_323_200_000,
  sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
}

async function newTable(store: Store): Promise<void> {
  const fields = [...contract.schema.fields, ...kafkaColumns().fields]
  await createTable(store, { schema: { type: 'struct', fields }, partitionColumns: [] }, clock)
}

/** Generates records, some of them tombstones and some that violate the contract. */
function topicOf(partitions: number, records: number, chance: Chance): Topic {
  const record = (offset: number): string | null => {
    if (chance.once(15)) return null
    return chance.once(15) ? chance.pick(['', 'no json', '{"v":"x"}', '{}']) : `{"v":${offset}}`
  }
  return Array.from({ length: partitions }, () =>
    Array.from({ length: records }, (_, offset) => record(offset)),
  )
}

const isGood = (value: string | null | undefined): boolean =>
  value?.startsWith('{"v":') === true && !value.includes('"x"')
const isBad = (value: string | null): boolean => value !== null && !isGood(value)
const placesOf = (topic: Topic, wanted: (value: string | null) => boolean): string[] =>
  topic
    .flatMap((values, partition) =>
      [...values.keys()]
        .filter((offset) => wanted(values[offset] ?? null))
        .map((offset) => `${partition}/${offset}`),
    )
    .sort()

interface Worker {
  readonly source: FakeSource
  readonly commits: ReturnType<typeof pipeline>
  readonly credit: Credit
  readonly fenced: string[]
}

/** Starts a process with its own view of the table and its own source; it shares only the store. */
async function workerOn(
  store: Store,
  facts: {
    topic: Topic
    partitions: readonly number[]
    chance: Chance
    letters: Set<string>
    onCommitted?: (ranges: readonly OffsetRange[]) => Promise<void>
    flushCount?: number
  },
): Promise<Worker> {
  const { topic, partitions, chance, letters, onCommitted, flushCount = 20 } = facts
  const table = await openTableWriter(store, { clock, random: () => 0 })
  const credit = new Credit(4_000_000)
  const resume = (partition: number): Promise<bigint | undefined> => table.txn(`${APP_ID}-${partition}`)
  const source = new FakeSource({
    topic,
    partitions,
    credit,
    chance,
    resume,
    ...(onCommitted === undefined ? {} : { onCommitted }),
  })
  const fenced: string[] = []
  const commits = pipeline(
    source.batches,
    {
      source,
      credit,
      table,
      store,
      contract,
      appId: APP_ID,
      clock,
      format: jsonFormat({ schema: contract.schema, plain: contract.plain }),
      enrichments: [kafkaColumns()],
      deadLetters: {
        write: (found: readonly DeadLetter[]) => {
          for (const { partition, offset } of found) letters.add(`${partition}/${offset}`)
          return Promise.resolve()
        },
      },
      onFenced: (appIds) => fenced.push(...appIds),
    },
    {
      partitionColumns: [],
      flush: { count: flushCount, bytes: 1e9, ageMs: 60_000 },
      parquet: { compression: 'none', rowGroupRows: 1000 },
    },
  )
  return { source, commits, credit, fenced }
}

/** Asserts P2 and P3: each version adds, for each partition, exactly the good records between its `txn` and the previous one. */
async function assertPrefixes(store: Store, topic: Topic): Promise<void> {
  const reached = new Map<number, number>()
  for (const { version, rows, txns } of await versionsOf(store)) {
    const expected: string[] = []
    for (const [appId, last] of txns) {
      const partition = Number(appId.slice(APP_ID.length + 1))
      const from = reached.get(partition) ?? 0
      assert.ok(Number(last) >= from, `version ${version}: ${appId} goes back to ${last}`)
      for (let offset = from; offset <= Number(last); offset++)
        if (isGood(topic[partition]?.[offset])) expected.push(`${partition}/${offset}`)
      reached.set(partition, Number(last) + 1)
    }
    assert.deepEqual([...rows].sort(), expected.sort(), `version ${version}`)
  }
  for (const [partition, values] of topic.entries())
    assert.equal(reached.get(partition), values.length, `end of partition ${partition}`)
}

const all = (worker: Worker): Promise<PipelineCommit[]> => lastValueFrom(worker.commits.pipe(toArray()))

test('Every record of a topic becomes a row, a dead letter or a tombstone, and all credit is returned', async (t) => {
  const chance = chanceOf(t)
  const topic = topicOf(3, 200, chance)
  const store = new MemoryStore()
  await newTable(store)
  const letters = new Set<string>()
  const worker = await workerOn(store, { topic, partitions: [0, 1, 2], chance, letters })
  const commits = await all(worker)
  await assertPrefixes(store, topic)
  assert.deepEqual([...letters].sort(), placesOf(topic, isBad))
  const sum = (pick: (counts: PipelineCommit['counts']) => number): number =>
    commits.reduce((total, { counts }) => total + pick(counts), 0)
  const counts = [
    sum((c) => c.records),
    sum((c) => c.rows),
    sum((c) => c.deadLetters),
    sum((c) => c.tombstones),
  ]
  assert.deepEqual(counts, [
    600,
    placesOf(topic, isGood).length,
    letters.size,
    placesOf(topic, (value) => value === null).length,
  ])
  assert.deepEqual([worker.credit.taken, worker.credit.waiting, worker.fenced], [0, 0, []])
})

test('A restarted pipeline resumes after the offsets in the table', async (t) => {
  const chance = chanceOf(t)
  const topic = topicOf(2, 100, chance)
  const store = new MemoryStore()
  await newTable(store)
  const letters = new Set<string>()
  const half = topic.map((values) => values.slice(0, 50))
  await all(await workerOn(store, { topic: half, partitions: [0, 1], chance, letters }))
  const { version } = await loadSnapshot(store)
  assert.deepEqual(await all(await workerOn(store, { topic: half, partitions: [0, 1], chance, letters })), [])
  assert.equal((await loadSnapshot(store)).version, version, 'without new records there is no commit')
  await all(await workerOn(store, { topic, partitions: [0, 1], chance, letters }))
  await assertPrefixes(store, topic)
})

test('Two pipelines over the same offsets commit each offset once: the later one is fenced, reset, and resumes from the table', async (t) => {
  const chance = chanceOf(t)
  const topic = topicOf(2, 150, chance)
  const store = new MemoryStore()
  await newTable(store)
  const letters = new Set<string>()
  const facts = { topic, partitions: [0, 1], letters }
  const workers = await Promise.all(
    [1, 2].map((i) => workerOn(store, { ...facts, chance: chanceBy(chance.seed + i) })),
  )
  await Promise.all(workers.map(all))
  await all(await workerOn(store, { ...facts, chance }))
  await assertPrefixes(store, topic)
  const fenced = workers.flatMap((worker) => worker.fenced)
  assert.ok(fenced.length > 0, 'both wrote the same offsets')
  for (const worker of workers) assert.equal(worker.source.resets.length > 0, worker.fenced.length > 0)
  for (const { credit } of workers) assert.equal(credit.taken, 0)
  const named = new Set<string>()
  for await (const add of (await loadSnapshot(store)).files()) named.add(add.path)
  for await (const { key } of store.list('part-'))
    assert.ok(named.has(key), `${key} is of no version, and was left behind`)
})

/** Chooses which requests fail, and how: only faults that a restart or reading the log recovers from. */
function faults(chance: Chance): NonNullable<MemoryOptions['fault']> {
  return ({ operation }) => {
    if (operation === 'putIfAbsent')
      return chance.once(5) ? chance.pick(['lost', 'answer-lost'] as const) : undefined
    const often = operation === 'put' ? 25 : 80
    return chance.once(often) ? chance.pick(['lost', 'answer-lost'] as const) : undefined
  }
}

/** Runs one process until it completes, fails by a fault of the store, or crashes at a random moment. */
async function live(worker: Worker, chance: Chance): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const subscription = worker.commits.subscribe({
      complete: resolve,
      error: (error: unknown) => {
        if (error instanceof PipelineError && error.code === 'KD_STORE_UNAVAILABLE') resolve()
        else reject(error instanceof Error ? error : new Error(String(error)))
      },
    })
    let left = chance.once(3) ? Infinity : chance.int(120)
    const tick = (): void => {
      if (subscription.closed) return
      if (left-- > 0) setImmediate(tick)
      else {
        subscription.unsubscribe()
        resolve()
      }
    }
    tick()
  })
}

const isPassing = (error: unknown): boolean =>
  error instanceof PipelineError && error.code === 'KD_STORE_UNAVAILABLE'

for (let run = 0; run < 8; run++) {
  test(`P1 to P6 hold despite crashes, lost responses and two overlapping workers, run ${run + 1}`, async (t) => {
    const { seed } = chanceOf(t)
    const chance = chanceBy(seed + run * 7919)
    const name = `pipeline-${seed}-${run}`
    const calm = new MemoryStore(name)
    await newTable(calm)
    const topic = topicOf(3, 120, chance)
    const letters = new Set<string>()
    const groups = new Map<number, bigint>()
    let ahead = 0
    const onCommitted = async (ranges: readonly OffsetRange[]): Promise<void> => {
      const { txns } = await loadSnapshot(calm)
      for (const { partition, last } of ranges) {
        // P1: the offsets of the group are never ahead of the table.
        if ((txns.get(`${APP_ID}-${partition}`)?.version ?? -1n) < last) ahead++
        groups.set(partition, last)
      }
    }
    const lives = async (own: Chance): Promise<void> => {
      for (let life = 0; life < 6; life++) {
        const store = new MemoryStore(name, { fault: faults(own) })
        const partitions = [0, 1, 2].filter(() => !own.once(3))
        const flushCount = 5 + own.int(40)
        try {
          await live(
            await workerOn(store, { topic, partitions, chance: own, letters, onCommitted, flushCount }),
            own,
          )
        } catch (error) {
          if (!isPassing(error)) throw error
        }
      }
    }
    await Promise.all([lives(chanceBy(chance.int(2 ** 31))), lives(chanceBy(chance.int(2 ** 31)))])
    // P8: once the faults stop, one more run commits the rest.
    for (let rest = 0; rest < 3; rest++)
      await all(await workerOn(calm, { topic, partitions: [0, 1, 2], chance, letters, onCommitted }))
    await assertPrefixes(calm, topic)
    assert.equal(ahead, 0)
    // P4: rows and dead letters together are all records except tombstones; a dead letter may be sent twice but is never lost.
    assert.deepEqual([...letters].sort(), placesOf(topic, isBad))
    t.diagnostic(`${(await loadSnapshot(calm)).version} versions`)
  })
}

test('what a format, an operator, an enrichment or a sink throws has a code and keeps its cause', async () => {
  const cause = new TypeError('mine')
  const refuse = (): never => {
    throw cause
  }
  const format = jsonFormat({ schema: contract.schema, plain: contract.plain })
  const parts = {
    format: { format: { ...format, decode: refuse } },
    prepare: { format: { ...format, prepare: refuse } },
    operator: { rows: map(refuse) },
    enrichment: { enrichments: [{ fields: [], columns: refuse }] },
    sink: { deadLetters: { write: () => Promise.reject(cause) } },
  }
  for (const [part, custom] of Object.entries(parts)) {
    const store = new MemoryStore()
    await createTable(store, { schema: contract.schema, partitionColumns: [] }, clock)
    const table = await openTableWriter(store)
    const credit = new Credit(1_000_000)
    const source = new FakeSource({
      ...{ topic: [['{"v":1}', 'no json']], partitions: [0], credit, chance: chanceBy(1) },
      resume: () => Promise.resolve(undefined),
    })
    const options = {
      ...{ source, credit, format, contract, enrichments: [], store, table, appId: APP_ID },
      deadLetters: { write: () => Promise.resolve() },
      ...custom,
    }
    const config = {
      partitionColumns: [],
      flush: { count: 10, bytes: 1_000_000, ageMs: 60_000 },
      parquet: { compression: 'none', rowGroupRows: 100 },
    } as const
    const error: unknown = await lastValueFrom(pipeline(source.batches, options, config)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(
      error instanceof PipelineError && error.code === 'KD_OPERATOR_FAILED',
      `${part}: ${String(error)}`,
    )
    assert.equal(error.cause, cause, part)
  }
})
