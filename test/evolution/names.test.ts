// Goal: no name and no text that is not well-formed Unicode reaches a table, under any policy. Complete pipelines over a
// table in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNameFault } from '../../src/core/schema.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { isWellFormedJson } from '../../src/delta/protocol/action-json.ts'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import {
  carryAll,
  evolvingWorker,
  json,
  rowsIn,
  tableOf,
  typesOf,
  type Worker,
} from '../support/flow/evolving.ts'

const COLUMNS = structOf({
  v: 'long',
  s: 'string',
  o: structOf({ a: 'long' }),
  l: arrayOf(structOf({ a: 'long' })),
  m: mapOf('string'),
})

async function carried(
  t: Parameters<typeof chanceOf>[0],
  messages: readonly object[],
  policy: SchemaEvolution,
  columns = COLUMNS,
): Promise<{ store: Store; worker: Worker }> {
  const store = new MemoryStore()
  await tableOf(store, columns)
  const worker = await evolvingWorker(store, { topic: [json(messages)], chance: chanceOf(t), policy })
  await carryAll(worker)
  const { schema } = (await loadSnapshot(store)).metadata
  assert.equal(findNameFault(schema), undefined)
  for await (const { key } of store.list('_delta_log/'))
    if (key.endsWith('.json'))
      for (const line of Buffer.from(await store.get(key))
        .toString()
        .trim()
        .split('\n'))
        assert.ok(isWellFormedJson(line), key)
  return { store, worker }
}

const NAMES = [
  { v: 1, '\ud800x': 7 },
  { v: 2, o: { a: 1, 'y\udc00': 7 } },
  { v: 3, l: [{ a: 1 }, { '\ude00\ud83d': 7 }] },
  { v: 4, '😀': 7 },
]

test('Under addNewColumns a record with such a field at any depth is a dead letter, and other names become columns', async (t) => {
  const { store, worker } = await carried(t, NAMES, 'addNewColumns')
  assert.deepEqual([...(await rowsIn(store)).values()], [{ v: 4, '😀': 7 }])
  assert.deepEqual(
    worker.letters.map(({ reason, message }) => [reason, message.replace(/:.*/s, '')]),
    // The message is well-formed too.
    [
      ['type', '\ufffdx'],
      ['type', 'o.y\ufffd'],
      ['type', 'l.element.\ufffd\ufffd'],
    ],
  )
})

test('Under rescue such a field is rescued, under none it is dropped', async (t) => {
  const rescued = await carried(t, NAMES, 'rescue')
  assert.deepEqual(rescued.worker.letters, [])
  assert.deepEqual(
    [...(await rowsIn(rescued.store)).values()].map(({ _rescued_data }) => _rescued_data),
    ['{"\\ud800x":7}', '{"o":{"y\\udc00":7}}', '{"l":[null,{"\\ude00\\ud83d":7}]}', '{"😀":7}'],
  )
  const dropped = await carried(t, NAMES, 'none')
  assert.deepEqual(dropped.worker.letters, [])
  assert.deepEqual(
    [...(await rowsIn(dropped.store)).values()],
    [{ v: 1 }, { v: 2, o: { a: 1 } }, { v: 3, l: [{ a: 1 }, {}] }, { v: 4 }],
  )
})

test('A new object with such a field is JSON text', async (t) => {
  const inner = { a: [{ 'x\ud800': 1 }] }
  const { store, worker } = await carried(
    t,
    [
      { v: 1, n: inner },
      { v: 2, p: { '\udc00': 1 } },
    ],
    'addNewColumns',
  )
  assert.deepEqual(worker.letters, [])
  const { n, p } = await typesOf(store)
  assert.deepEqual([n, p], [structOf({ a: arrayOf('string') }), 'string'])
  assert.deepEqual(
    [...(await rowsIn(store)).values()],
    [
      { v: 1, n: { a: ['{"x\\ud800":1}'] } },
      { v: 2, p: '{"\\udc00":1}' },
    ],
  )
})

const TEXTS = [
  { v: 1, s: '\ud800' },
  { v: 2, m: { a: 'é\udc00' } },
  { v: 3, m: { '\udfff': 'a' } },
  { v: 4, later: '\ud83d' },
  { v: 5, s: '😀', m: { '😀': '\ud83d\ude00' } },
]

test('Text with half of a surrogate pair is a dead letter, as value and as key of a map, in old and new columns', async (t) => {
  const { store, worker } = await carried(t, TEXTS, 'addNewColumns')
  assert.deepEqual([...(await rowsIn(store)).values()], [{ v: 5, s: '😀', m: { '😀': '😀' } }])
  assert.equal(worker.letters.length, 4)
  for (const { reason, message } of worker.letters) {
    assert.equal(reason, 'type')
    assert.match(message, /expected well-formed Unicode, got half of a surrogate pair in "/)
  }
})

test('Under rescue such text is rescued, except the key of a map', async (t) => {
  const { store, worker } = await carried(t, TEXTS, 'rescue')
  assert.deepEqual(
    [...(await rowsIn(store)).values()],
    [
      { v: 1, _rescued_data: '{"s":"\\ud800"}' },
      { v: 2, _rescued_data: '{"m":{"a":"é\\udc00"}}' },
      { v: 4, _rescued_data: '{"later":"\\ud83d"}' },
      { v: 5, s: '😀', m: { '😀': '😀' } },
    ],
  )
  assert.equal(worker.letters.length, 1)
})

test('A partition value with half of a surrogate pair is a dead letter', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, structOf({ v: 'long', p: 'string' }), { partitionColumns: ['p'] })
  const topic = [
    json([
      { v: 1, p: 'x\ud800' },
      { v: 2, p: '😀' },
    ]),
  ]
  const worker = await evolvingWorker(store, { topic, chance: chanceOf(t) })
  await carryAll(worker)
  assert.deepEqual([...(await rowsIn(store)).values()], [{ v: 2, p: '😀' }])
  assert.equal(worker.letters.length, 1)
})
