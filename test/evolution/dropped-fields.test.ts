// Goal: a value whose field was dropped for lack of a column is not lost when the table has the column by the commit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructField, StructType } from '../../src/core/schema.ts'
import { DroppedPaths } from '../../src/arrow/rows.ts'
import { findMissedColumn } from '../../src/evolution/field-paths.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, fieldOf, mapOf, structOf } from '../support/flow/batches.ts'
import {
  alter,
  carryAll,
  evolvingWorker,
  overtaken,
  rowsIn,
  tableOf,
  without,
} from '../support/flow/evolving.ts'
import { chanceOf } from '../support/values/chance.ts'

const before = structOf({
  v: 'long',
  s: structOf({ a: 'long' }),
  l: arrayOf(structOf({ a: 'long' })),
  m: mapOf(structOf({ a: 'long' })),
})
const inner = structOf({ a: 'long', b: 'long' })
const withNew =
  (...added: readonly StructField[]) =>
  ({ fields }: StructType): StructType => {
    const names = new Set(added.map(({ name }) => name))
    return { type: 'struct', fields: [...fields.filter(({ name }) => !names.has(name)), ...added] }
  }

const CASES: readonly {
  readonly name: string
  readonly text: string
  readonly change: (schema: StructType) => StructType
  readonly row: object
  /** False when the flush is committed as it was. */
  readonly again?: boolean
}[] = [
  {
    name: 'a field',
    text: '{"v":1,"color":"red"}',
    change: withNew(fieldOf('color', 'string')),
    row: { v: 1, color: 'red' },
  },
  {
    name: 'in another case',
    text: '{"v":1,"Color":"red"}',
    change: withNew(fieldOf('COLOR', 'string')),
    row: { v: 1, COLOR: 'red' },
  },
  {
    name: 'of a struct',
    text: '{"v":1,"s":{"a":1,"b":2}}',
    change: withNew(fieldOf('s', inner)),
    row: { v: 1, s: { a: 1, b: 2 } },
  },
  {
    name: 'of an element',
    text: '{"v":1,"l":[{"a":1,"b":2}]}',
    change: withNew(fieldOf('l', arrayOf(inner))),
    row: { v: 1, l: [{ a: 1, b: 2 }] },
  },
  {
    name: 'of the value of a map',
    text: '{"v":1,"m":{"k":{"a":1,"b":2}}}',
    change: withNew(fieldOf('m', mapOf(inner))),
    row: { v: 1, m: { k: { a: 1, b: 2 } } },
  },
  {
    name: 'with a dot in its name',
    text: '{"v":1,"s.b":2}',
    change: withNew(fieldOf('s.b', 'long')),
    row: { v: 1, 's.b': 2 },
  },
  {
    name: 'among more than can be remembered',
    text: `{"v":1,${Array.from({ length: 1500 }, (_, i) => `"c${i}":${i}`).join()},"last":2}`,
    change: withNew(fieldOf('last', 'long')),
    row: { v: 1, last: 2 },
  },
  {
    name: 'another one than the new column',
    text: '{"v":1,"color":"red"}',
    change: withNew(fieldOf('size', 'long')),
    row: { v: 1 },
    again: false,
  },
  {
    name: 'twice in two cases, of which one column takes one',
    text: '{"v":1,"V":2,"w":1}',
    change: withNew(fieldOf('size', 'long')),
    row: { v: 1 },
    again: false,
  },
]

for (const { name, text, change, row, again = true } of CASES)
  for (const path of ['bytes', 'objects'])
    test(`A dropped field that another writer makes a column is read again: ${name}, decoded from ${path}`, async (t) => {
      const store = new MemoryStore()
      const columns = path === 'bytes' ? without(before, 'm') : before
      const isMap = text.includes('"m"')
      await tableOf(store, isMap ? before : columns)
      // The worker reads escapes as objects.
      const topic = [[path === 'bytes' ? text : text.replace('"v"', String.raw`"\u0076"`)]]
      const facts = { topic, chance: chanceOf(t), policy: 'none' } as const
      const worker = await evolvingWorker(
        overtaken(store, () => alter(store, change)),
        facts,
      )
      await carryAll(worker)
      assert.equal(worker.unfit.length, again ? 1 : 0)
      // The source had ended when the flush was dropped; a running topic reads the records again by itself.
      const rest = await evolvingWorker(store, facts)
      await carryAll(rest)
      assert.deepEqual([...(await rowsIn(store)).values()], [row])
      assert.deepEqual([rest.unfit, worker.letters, rest.letters], [[], [], []])
    })

test('Columns that rows had when fields were dropped are no reason to read again, whatever their names', () => {
  const of = structOf({ a: structOf({ x: 'long' }), 'a.b': 'long' })
  const dropped = new DroppedPaths(of)
  dropped.add('a.b')
  dropped.add('a')
  assert.equal(findMissedColumn([dropped], of), undefined)
  assert.equal(
    findMissedColumn([dropped], structOf({ a: structOf({ x: 'long' }), 'A.b': 'long', c: 'long' })),
    undefined,
  )
  const nested = structOf({ a: structOf({ x: 'long', b: 'long' }), 'a.b': 'long' })
  assert.equal(findMissedColumn([dropped, dropped], nested), 'a.b')
})
