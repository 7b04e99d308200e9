// Goal: a number written with a fraction is a double wherever types are learned, and an integer where it must be one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../src/core/batch.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, structOf } from '../support/flow/batches.ts'
import { carryAll, evolvingWorker, rowsIn, tableOf, typesOf } from '../support/flow/evolving.ts'
import { chanceOf } from '../support/values/chance.ts'

/** Carries texts into a table with column `v` and returns its rows and dead letters. */
async function carried(
  t: Parameters<typeof chanceOf>[0],
  texts: readonly string[],
  {
    policy = 'addNewColumns' as const,
    contract = undefined as object | undefined,
    columns = structOf({ v: 'long' }),
  } = {},
): Promise<readonly [rows: unknown, letters: readonly string[]]> {
  const store = new MemoryStore()
  await tableOf(store, columns)
  const worker = await evolvingWorker(store, {
    topic: [texts],
    chance: chanceOf(t),
    policy,
    ...(contract && { contract }),
  })
  await carryAll(worker)
  const letters = worker.letters.map(({ message }) => message)
  return [[...(await rowsIn(store)).values()], letters]
}

const NEW_COLUMNS: readonly (readonly [
  name: string,
  first: string,
  then: string,
  type: unknown,
  rows: unknown,
])[] = [
  ['a fraction of zero', '2.0', '2.5', 'double', [2, 2.5]],
  ['an exponent', '2e3', '0.5', 'double', [2000, 0.5]],
  ['an array element', '[1.0]', '[1.5]', arrayOf('double'), [[1], [1.5]]],
  ['a nested field', '{"a":-3.00}', '{"a":0.25}', structOf({ a: 'double' }), [{ a: -3 }, { a: 0.25 }]],
  ['an element after an integer', '[1,2.0]', '[1.5]', arrayOf('double'), [[1, 2], [1.5]]],
  ['no fraction', '2', '3', 'long', [2, 3]],
]

for (const [name, first, then, type, values] of NEW_COLUMNS)
  test(`A new column's type follows the way its first number is written: ${name}`, async (t) => {
    const letters: DeadLetter[] = []
    const texts = [`{"v":1,"x":${first}}`, `{"v":2,"x":${then}}`]
    const store = new MemoryStore()
    await tableOf(store, structOf({ v: 'long' }))
    // The first message is committed before the second is read, so that the table has the type.
    for (const topic of [texts.slice(0, 1), texts])
      await carryAll(await evolvingWorker(store, { topic: [topic], chance: chanceOf(t), letters }))
    const [types, rows] = [await typesOf(store), [...(await rowsIn(store)).values()]]
    assert.deepEqual(types, { v: 'long', x: type })
    assert.deepEqual(
      rows,
      (values as unknown[]).map((x, at) => ({ v: at + 1, x })),
    )
    assert.deepEqual(letters, [])
  })

test('Integers written with a fraction or an exponent fill integer columns, and no contract refuses them', async (t) => {
  const texts = ['{"v":1.0,"b":1e1}', '{"v":9007199254740993.0,"b":3}', '{"v":1.5}', '{"v":2,"b":300.0}']
  const byte = { type: 'integer', 'x-delta-type': 'byte' }
  for (const contract of [undefined, { properties: { v: { type: 'integer' }, b: byte } }]) {
    const columns = structOf({ v: 'long', b: 'byte' })
    const [rows, letters] = await carried(t, texts, { contract, columns })
    assert.equal(letters.length, 2)
    assert.match(letters.join('\n'), /\/b expected an integer from -128 to 127 \(byte\), got 300\.0/)
    assert.equal((rows as unknown[]).length, 2)
  }
})

test('Limits of a contract apply to numbers that are written with a fraction, with and without a type', async (t) => {
  const texts = ['{"v":5.0}', '{"v":20.0}', '{"v":5}']
  for (const rule of [
    { type: 'integer', maximum: 10 },
    { maximum: 10 },
    { type: ['integer', 'null'], maximum: 10 },
  ]) {
    const contract = { properties: { v: { 'x-delta-type': 'long', ...rule } } }
    const [rows, letters] = await carried(t, texts, { contract })
    assert.deepEqual(rows, [{ v: 5 }, { v: 5 }], JSON.stringify(rule))
    assert.equal(letters.length, 1)
  }
})

test('A number is no object: neither a struct, nor a map, nor a message', async (t) => {
  const columns = structOf({
    s: structOf({ text: 'string' }),
    m: { type: 'map', keyType: 'string', valueType: 'string', valueContainsNull: true },
  })
  const [rows, letters] = await carried(t, ['{"s":2.0}', '{"m":2.0}', '2.0', '{"s":{"text":"a"}}'], {
    columns,
  })
  assert.deepEqual(rows, [{ s: { text: 'a' } }])
  assert.deepEqual(letters.toSorted(), [
    '/m expected an object, got 2.0',
    '/s expected an object, got 2.0',
    'expected a JSON object, got a number',
  ])
})
