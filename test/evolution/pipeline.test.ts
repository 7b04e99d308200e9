// Goal: a table evolves with the messages of its topic. Complete pipelines over a table in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireCommit } from '../../src/delta/log/log-segment.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, structOf } from '../support/flow/batches.ts'
import { chanceBy, chanceOf } from '../support/values/chance.ts'
import { carryAll, evolvingWorker, json, rowsIn, tableOf, typesOf } from '../support/flow/evolving.ts'

const CONTRACT = { type: 'object', required: ['v'], properties: { v: { type: 'integer' } } }
const columns = structOf({ v: 'long' })

test('Unknown fields become columns with the first flush that contains them, in the same commit as its files', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, columns)
  const topic = [
    json([
      { v: 1, s: 'a', n: 1, o: { x: true }, e: [], nothing: null },
      { v: 2, n: 2.5, l: [{ a: 1 }, { b: 'x' }] },
      { v: 3, m: 'text' },
      { v: 4, m: 7, o: { x: false, y: { z: 1e3 } } },
    ]),
  ]
  const worker = await evolvingWorker(store, { topic, chance: chanceOf(t), contract: CONTRACT })
  assert.equal((await carryAll(worker)).length, 1)
  assert.deepEqual(await typesOf(store), {
    v: 'long',
    s: 'string',
    n: 'double',
    o: plain(structOf({ x: 'boolean', y: structOf({ z: 'long' }) })),
    l: plain(arrayOf(structOf({ a: 'long', b: 'string' }))),
    m: 'string',
  })
  assert.deepEqual(
    [...(await rowsIn(store)).values()],
    [
      { v: 1, s: 'a', n: 1, o: { x: true } },
      { v: 2, n: 2.5, l: [{ a: 1 }, { b: 'x' }] },
      { v: 3, m: 'text' },
      { v: 4, m: '7', o: { x: false, y: { z: 1000 } } },
    ],
  )
  const kinds = (await requireCommit(store, 1n)).actions.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['commitInfo', 'metaData', 'txn', 'add'])
  assert.equal(worker.credit.taken, 0)
})

/** Removes the origin metadata of row columns. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

test('From then on the fields are decoded directly: only records with unknown fields become objects', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, columns)
  const topic = [json([{ v: 1, s: 'a' }])]
  const worker = await evolvingWorker(store, { topic, chance: chanceOf(t), contract: CONTRACT })
  const before = worker.columns.current()
  assert.equal(worker.columns.current(), before, 'the same value until the columns change')
  await carryAll(worker)
  assert.notEqual(worker.columns.current(), before)
  assert.deepEqual(
    before.schema.fields.map(({ name }) => name),
    ['v'],
  )
  assert.deepEqual(
    worker.columns.current().plain?.fields.map(({ name, json: kind }) => [name, kind]),
    [
      ['v', 'integer'],
      ['s', 'string'],
    ],
  )
})

test('Messages of many versions make one file per flush and table partition', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, structOf({ v: 'long', p: 'string' }), { partitionColumns: ['p'] })
  const versions = [{}, { a: 1 }, { a: 1.5, b: 'x' }, { c: { d: [1, null] } }, { c: { e: true }, a: 2 }]
  const topic = [
    json(Array.from({ length: 60 }, (_, v) => ({ v, p: v % 2 === 0 ? 'even' : 'odd', ...versions[v % 5] }))),
  ]
  const worker = await evolvingWorker(store, { topic, chance: chanceOf(t), flushCount: 60 })
  const [commit, ...others] = await carryAll(worker)
  assert.deepEqual([commit?.adds.length, commit?.counts.rows, others.length], [2, 60, 0])
  const rows = [...(await rowsIn(store)).values()]
  assert.deepEqual(
    rows.find(({ v }) => v === 14),
    { v: 14, p: 'even', a: 2, c: { e: true } },
  )
})

for (let run = 0; run < 6; run++) {
  test(`Two workers that add the same columns at once add each column once, run ${run + 1}`, async (t) => {
    const { seed } = chanceOf(t)
    const chance = chanceBy(seed + run * 7919)
    const store = new MemoryStore()
    const configuration = run % 2 === 0 ? {} : { 'delta.columnMapping.mode': 'name' }
    await tableOf(store, columns, { configuration })
    const values = [
      { x: 1 },
      { x: 2.5 },
      { x: 'text' },
      { x: null },
      { X: 4, y: [{ z: 1 }] },
      { y: [{ w: 'a' }] },
    ]
    const topic = [0, 1].map((p) =>
      json(Array.from({ length: 80 }, (_, v) => (v < 10 + p * 15 ? { v } : { v, ...chance.pick(values) }))),
    )
    const facts = { topic, contract: CONTRACT, flushCount: 1 + chance.int(20) }
    const workers = await Promise.all(
      [0, 1].map((p) =>
        evolvingWorker(store, { ...facts, partitions: [p], chance: chanceBy(chance.int(1e9)) }),
      ),
    )
    await Promise.all(workers.map(carryAll))
    const types = await typesOf(store)
    assert.deepEqual(
      Object.keys(types)
        .map((name) => name.toLowerCase())
        .sort(),
      ['v', 'x', 'y'],
    )
    const rows = await rowsIn(store)
    const letters = new Set(
      workers.flatMap(({ letters: all }) => all).map((l) => `${l.partition}/${l.offset}`),
    )
    for (const place of letters) assert.ok(!rows.has(place), `${place} is a row and a dead letter`)
    assert.equal(rows.size + letters.size, 160)
    for (const [place, row] of rows) {
      const [p = 0, offset = 0] = place.split('/').map(Number)
      const sent = JSON.parse(topic[p]?.[offset] ?? '{}') as Record<string, unknown>
      const x = row['x'] ?? row['X'] ?? null
      const expected = sent['x'] ?? sent['X'] ?? null
      assert.equal(shown(x), shown(expected), place)
    }
    for (const { credit } of workers) assert.equal(credit.taken, 0)
    t.diagnostic(
      `${JSON.stringify(types)}, ${letters.size} dead letters, given up: ${workers.flatMap((w) => w.unfit).length}`,
    )
  })
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

test('Under failOnNewColumns the first message with a new field stops the topic; earlier messages are in the table', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, columns)
  const topic = [json([{ v: 1 }, { v: 2, new: null }, { v: 3, o: { n: 1 }, new: 1 }])]
  const facts = {
    topic,
    chance: chanceOf(t),
    contract: CONTRACT,
    policy: 'failOnNewColumns',
    flushCount: 1,
  } as const
  await assert.rejects(carryAll(await evolvingWorker(store, facts)), {
    code: 'KD_SCHEMA_CHANGED',
    message: /neither the contract nor the table has o, new, .* \(topic events, partition 0, offset 2\)/,
  })
})

test('Under none new fields are dropped and counted, both when decoded from bytes and as objects', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, structOf({ v: 'long', o: structOf({ a: 'long' }) }))
  const messages = [
    { v: 1 },
    { v: 2, new: 1, more: { x: [] } },
    { v: 3, o: { a: 1, b: null } },
    { V: 4, w: 'ä\n' },
  ]
  for (const contract of [
    undefined,
    {
      type: 'object',
      properties: { v: { type: 'integer' }, o: { type: 'object', properties: { a: { type: 'integer' } } } },
    },
  ]) {
    const before = (await rowsIn(store)).size
    const topic = [json(Array.from({ length: before }, () => ({ v: 0 })).concat(messages as never))]
    const facts = { topic, chance: chanceOf(t), policy: 'none' as const, ...(contract && { contract }) }
    const commits = await carryAll(await evolvingWorker(store, facts))
    assert.equal(
      commits.reduce((sum, { counts }) => sum + (counts.droppedFields ?? 0), 0),
      4,
    )
    const rows = [...(await rowsIn(store)).values()].slice(before)
    assert.deepEqual(rows, [{ v: 1 }, { v: 2 }, { v: 3, o: { a: 1 } }, { v: 4 }])
    const version = (await loadSnapshot(store)).version
    const [info] = (await requireCommit(store, version)).actions
    assert.ok(info?.kind === 'commitInfo')
    assert.deepEqual((info.commitInfo['operationMetrics'] as Record<string, string>)['numDroppedFields'], '4')
  }
})

test('A topic with random keys adds at most the allowed number of columns; further fields become dead letters or are rescued', async (t) => {
  for (const rescues of [false, true]) {
    const store = new MemoryStore()
    await tableOf(store, rescues ? structOf({ v: 'long', _rescued_data: 'string' }) : columns)
    const topic = [json(Array.from({ length: 30 }, (_, v) => ({ v, [`key${v}`]: { a: v } })))]
    const worker = await evolvingWorker(store, {
      topic,
      chance: chanceOf(t),
      contract: CONTRACT,
      learnedMax: 11,
    })
    await carryAll(worker)
    const learned = Object.keys(await typesOf(store)).filter((name) => name.startsWith('key'))
    assert.equal(learned.length, 5)
    const rows = [...(await rowsIn(store)).values()]
    assert.deepEqual([rows.length, worker.letters.length], rescues ? [30, 0] : [5, 25])
    if (rescues) assert.equal(rows.at(-1)?.['_rescued_data'], '{"key29":{"a":29}}')
    else assert.match(worker.letters[0]?.message ?? '', /key5: cannot become a column/)
  }
})
