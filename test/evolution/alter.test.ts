// Goal: a topic copes with changes that another writer makes to its table. Complete pipelines over a table in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StructType } from '../../src/core/schema.ts'
import { loadSnapshot } from '../../src/delta/log/snapshot.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { structOf } from '../support/flow/batches.ts'
import { chanceOf } from '../support/values/chance.ts'
import {
  alter,
  carryAll,
  evolvingWorker,
  json,
  overtaken,
  protocolWith,
  rowsIn,
  tableOf,
  typesOf,
  withField,
  without,
} from '../support/flow/evolving.ts'

const CONTRACT = { type: 'object', required: ['v'], properties: { v: { type: 'integer' } } }
const columns = structOf({ v: 'long' })

const ALTERED: readonly {
  readonly name: string
  readonly alter: (schema: StructType) => StructType
  readonly types: Readonly<Record<string, unknown>>
  readonly rows: readonly unknown[]
  /** True when the flush is read again. */
  readonly again?: boolean
  readonly letters?: number
}[] = [
  {
    name: 'a column that the rows have too, of a wider type: they are cast',
    alter: (schema) => withField(schema, 'x', 'double'),
    types: { v: 'long', x: 'double' },
    rows: [{ v: 1, x: 1 }, { v: 2, x: 2 }, { v: 3 }],
  },
  {
    name: 'a string column that the rows have as numbers: they become text',
    alter: (schema) => withField(schema, 'X', 'string'),
    types: { v: 'long', X: 'string' },
    rows: [{ v: 1, X: '1' }, { v: 2, X: '2' }, { v: 3 }],
  },
  {
    name: 'a column that the rows do not have: null',
    alter: (schema) => withField(schema, 'other', 'date'),
    types: { v: 'long', other: 'date', x: 'long' },
    rows: [{ v: 1, x: 1 }, { v: 2, x: 2 }, { v: 3 }],
  },
  {
    name: 'a column that values of the rows do not fit: they are read again, and messages that do not fit are dead letters',
    alter: (schema) => withField(schema, 'x', 'boolean'),
    types: { v: 'long', x: 'boolean' },
    rows: [{ v: 3 }],
    again: true,
    letters: 2,
  },
  {
    name: 'a column that is NOT NULL now: the rows are read again, and those without a value are dead letters',
    alter: (schema) => withField(schema, 'x', 'long', false),
    types: { v: 'long', x: 'long' },
    rows: [
      { v: 1, x: 1 },
      { v: 2, x: 2 },
    ],
    again: true,
    letters: 1,
  },
]

for (const { name, alter: change, types, rows, again = false, letters = 0 } of ALTERED) {
  test(`Another writer changes the table in the middle of a flush: ${name}`, async (t) => {
    const store = new MemoryStore()
    await tableOf(store, columns)
    const topic = [json([{ v: 1, x: 1 }, { v: 2, x: 2 }, { v: 3 }])]
    const late = overtaken(store, () => alter(store, change))
    const worker = await evolvingWorker(late, { topic, chance: chanceOf(t) })
    const commits = await carryAll(worker)
    assert.deepEqual([worker.source.resets.length > 0, worker.unfit.length > 0], [again, again])
    // The source had ended when the flush was dropped; a running topic reads the records again by itself.
    const rest = await evolvingWorker(store, { topic, chance: chanceOf(t), letters: worker.letters })
    commits.push(...(await carryAll(rest)))
    assert.deepEqual(await typesOf(store), types)
    assert.deepEqual([...(await rowsIn(store)).values()], rows)
    assert.equal(worker.letters.length, letters)
    assert.equal(
      commits.reduce((sum, { counts }) => sum + counts.records, 0),
      3,
    )
    assert.equal(worker.credit.taken, 0)
  })
}

test('A column that another writer drops is added again: a contract column with the next rows, another column only with a value', async (t) => {
  const configuration = { 'delta.columnMapping.mode': 'name' }
  for (const [contract, message, names] of [
    [CONTRACT, { v: 5, w: 3 }, ['w', 'v']],
    [undefined, { v: 5, w: 3 }, ['w', 'v']],
    [undefined, { w: 3 }, ['w']],
  ] as const) {
    const store = new MemoryStore()
    await tableOf(store, structOf({ v: 'long', w: 'long' }), { configuration })
    const late = overtaken(store, () => alter(store, (schema) => without(schema, 'v')))
    const facts = { topic: [json([message])], chance: chanceOf(t), ...(contract && { contract }) }
    await carryAll(await evolvingWorker(late, facts))
    assert.deepEqual(Object.keys(await typesOf(store)), names)
    assert.deepEqual([...(await rowsIn(store)).values()], [message])
  }
})

test('A changed type that rows of the contract do not fit stops the topic, and the error names it', async (t) => {
  const retyped = (schema: StructType): StructType => ({
    type: 'struct',
    fields: schema.fields.map((field) => (field.name === 'v' ? { ...field, type: 'date' } : field)),
  })
  const store = new MemoryStore()
  await tableOf(store, columns)
  const late = overtaken(store, () => alter(store, retyped))
  const worker = await evolvingWorker(late, {
    topic: [json([{ v: 1 }])],
    chance: chanceOf(t),
    contract: CONTRACT,
  })
  await assert.rejects(carryAll(worker), {
    code: 'KD_SCHEMA_MISMATCH',
    message: /column v: expected date, as the table has it, got long/,
  })
  assert.equal((await rowsIn(store)).size, 0)
})

test('Columns are widened if the table allows it, in the same commit as the rows that need it', async (t) => {
  const store = new MemoryStore()
  await tableOf(store, structOf({ v: 'integer', d: 'date' }))
  await protocolWith(store, 'typeWidening', { 'delta.enableTypeWidening': 'true' })
  const narrow = { topic: [json([{ v: 1, d: '2026-03-01' }])], chance: chanceOf(t) }
  await carryAll(await evolvingWorker(store, narrow))
  const contract = {
    type: 'object',
    properties: { v: { type: 'integer' }, d: { type: 'string', 'x-delta-type': 'timestamp_ntz' } },
  }
  const wide = json([{}, { v: 2 ** 40, d: '2026-03-02T01:00:00' }])
  await carryAll(await evolvingWorker(store, { topic: [wide], chance: chanceOf(t), contract }))
  assert.deepEqual(await typesOf(store), { v: 'long', d: 'timestamp_ntz' })
  const [v] = (await loadSnapshot(store)).metadata.schema.fields
  assert.deepEqual(v?.metadata, { 'delta.typeChanges': [{ fromType: 'integer', toType: 'long' }] })
  assert.deepEqual(
    [...(await rowsIn(store)).values()],
    [
      { v: 1, d: '2026-03-01T00:00:00.000000' },
      { v: 2 ** 40, d: '2026-03-02T01:00:00.000000' },
    ],
  )
  assert.equal((await loadSnapshot(store)).version, 3n)
})
