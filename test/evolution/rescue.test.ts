// Goal: for any messages records = rows + dead letters + tombstones, and `rescue` loses no value of a row.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, mapOf, structOf } from '../support/flow/batches.ts'
import { chanceBy, chanceOf, type Chance } from '../support/values/chance.ts'
import { carryAll, evolvingWorker, json, rowsIn, tableOf } from '../support/flow/evolving.ts'

const COLUMNS = structOf({
  v: 'long',
  s: 'string',
  i: 'integer',
  o: structOf({ a: 'double', t: 'timestamp', deep: structOf({ x: 'boolean' }) }),
  l: arrayOf('long'),
  ls: arrayOf(structOf({ n: 'long' })),
  m: mapOf('long'),
})
const CONTRACT = {
  type: 'object',
  required: ['v'],
  properties: {
    v: { type: 'integer' },
    s: { type: ['string', 'null'] },
    i: { type: ['integer', 'null'], 'x-delta-type': 'integer' },
    o: { type: ['object', 'null'], properties: { a: { type: 'number' } } },
    gone: { type: ['integer', 'null'], minimum: 3 },
  },
}

test('Unknown values and values of another type are in _rescued_data with their nesting; otherwise it is null', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, COLUMNS)
  const messages = [
    { v: 1 },
    { v: 2, s: 5, new: [1, { a: null }], o: { a: 'x', b: 1, deep: { x: 1, y: null } } },
    { v: 3, i: 2 ** 31, l: [1, 'x'], ls: [{ n: 1 }, { n: 2, more: true }, null], m: { a: 1, b: 'x' } },
    { v: 4, S: 'case', _rescued_data: 'mine', _kafka_offset: 7 },
    { v: 'x', i: 1 },
  ]
  const worker = await evolvingWorker(store, {
    topic: [json(messages)],
    chance: chanceOf(t),
    policy: 'rescue',
  })
  await carryAll(worker)
  const rows = [...(await rowsIn(store)).values()]
  assert.deepEqual(rows, [
    { v: 1 },
    {
      v: 2,
      o: { deep: {} },
      _rescued_data: '{"s":5,"new":[1,{"a":null}],"o":{"a":"x","b":1,"deep":{"x":1}}}',
    },
    {
      v: 3,
      ls: [{ n: 1 }, { n: 2 }, null],
      _rescued_data: '{"i":2147483648,"l":[1,"x"],"ls":[null,{"more":true},null],"m":{"a":1,"b":"x"}}',
    },
    { v: 4, s: 'case', _rescued_data: '{"_rescued_data":"mine","_kafka_offset":7}' },
    { i: 1, _rescued_data: '{"v":"x"}' },
  ])
  assert.equal((await loadSnapshot(store)).version, 1n)
})

test('A value that the contract requires and that does not fit makes the record a dead letter', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, COLUMNS)
  const messages = [{ v: 'x' }, { v: 1, i: 'x', gone: 5 }, { v: 2, gone: 1 }]
  const facts = {
    topic: [json(messages)],
    chance: chanceOf(t),
    policy: 'rescue',
    contract: CONTRACT,
  } as const
  const worker = await evolvingWorker(store, facts)
  await carryAll(worker)
  assert.deepEqual([...(await rowsIn(store)).values()], [{ v: 1, _rescued_data: '{"i":"x","gone":5}' }])
  assert.deepEqual(
    worker.letters.map(({ offset, reason }) => [offset, reason]),
    [
      [0n, 'contract'],
      [2n, 'contract'],
    ],
  )
})

/** Returns a random JSON value; some of them fit their column. */
function valueBy(chance: Chance, depth = 0): unknown {
  const kinds = depth < 4 ? 9 : 7
  switch (chance.int(kinds)) {
    case 0:
      return chance.pick([0, 1, -7, 2 ** 31, 2 ** 53, 1.5, 1e300])
    case 1:
      return chance.pick(['', 'text', '2026-03-01T00:00:00Z', 'ä\u0000"\\'])
    case 2:
      return chance.once(2)
    case 3:
      return null
    case 4:
      return chance.int(1000)
    case 5:
      return { n: chance.int(9) }
    case 6:
      return [chance.int(9)]
    case 7:
      return Array.from({ length: chance.int(4) }, () => valueBy(chance, depth + 1))
    default:
      return objectBy(chance, depth + 1)
  }
}

function objectBy(chance: Chance, depth: number): Record<string, unknown> {
  const names = [
    's',
    'i',
    'o',
    'l',
    'ls',
    'm',
    'a',
    't',
    'deep',
    'x',
    'n',
    'New',
    'new',
    'with space',
    '__proto__',
    '',
  ]
  const entries = Array.from(
    { length: chance.int(6) },
    () => [chance.pick(names), valueBy(chance, depth)] as const,
  )
  return Object.fromEntries(entries)
}

const POLICIES: readonly SchemaEvolution[] = ['rescue', 'addNewColumns', 'none']

for (const policy of POLICIES) {
  for (const contract of [undefined, CONTRACT]) {
    test(`Random messages under ${policy}, ${contract === undefined ? 'without' : 'with'} a contract: every record is a row or a dead letter`, async (t) => {
      const chance = chanceBy(chanceOf(t).seed + policy.length)
      const store = new MemoryStore()
      await tableOf(store, COLUMNS)
      const messages = Array.from({ length: 300 }, (_, v) => ({ ...objectBy(chance, 0), v }))
      const values = json(messages).map((text) =>
        chance.once(20) ? chance.pick([null, 'no json', '[]']) : text,
      )
      const facts = { topic: [values], chance, policy, flushCount: 40, ...(contract && { contract }) }
      const worker = await evolvingWorker(store, facts)
      const commits = await carryAll(worker)
      const rows = await rowsIn(store)
      const sum = (of: (counts: (typeof commits)[number]['counts']) => number): number =>
        commits.reduce((total, { counts }) => total + of(counts), 0)
      assert.equal(
        sum((c) => c.records),
        300,
      )
      assert.equal(sum((c) => c.rows) + sum((c) => c.deadLetters) + sum((c) => c.tombstones), 300)
      assert.equal(
        rows.size,
        sum((c) => c.rows),
      )
      assert.ok(rows.size > 20, `${rows.size} rows`)
      for (const [place, row] of rows) {
        const sent = JSON.parse(values[Number(place.split('/')[1])] ?? '') as Record<string, unknown>
        assert.deepEqual(row['v'], sent['v'])
        if (policy === 'rescue') assert.deepEqual(leavesOf(joined(row)), leavesOf(sent), place)
        if (policy === 'addNewColumns') {
          // JSON text inside JSON text is escaped twice.
          const bare = (text: string): string => text.replaceAll(/[\\"]/g, '')
          const text = bare(JSON.stringify(row).replaceAll('00.000000Z', '00Z'))
          const lost = leavesOf(sent).filter((leaf) => !text.includes(bare(leaf)))
          assert.deepEqual(lost, [], `${place}: ${JSON.stringify(row)}`)
        }
      }
      t.diagnostic(`${rows.size} rows, ${worker.letters.length} dead letters`)
    })
  }
}

/** Returns the row merged with its rescued values. */
function joined({ _rescued_data: rescued, ...row }: Readonly<Record<string, unknown>>): unknown {
  return [row, typeof rescued === 'string' ? JSON.parse(rescued) : null]
}

/** Returns all scalars of a value, sorted, with times in one form. */
function leavesOf(value: unknown): string[] {
  if (value === null || value === undefined) return []
  if (typeof value === 'object') return Object.values(value).flatMap(leavesOf).sort()
  if (typeof value === 'string') return [JSON.stringify(value.replace('00.000000Z', '00Z')).slice(1, -1)]
  return [JSON.stringify(value)]
}
