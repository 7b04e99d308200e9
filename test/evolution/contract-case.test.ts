// Goal: a contract distinguishes the case of names, as JSON Schema does; the columns of a valid message do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SchemaEvolution } from '../../src/evolution/policy.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { arrayOf, structOf } from '../support/flow/batches.ts'
import { carryAll, evolvingWorker, json, rowsIn, tableOf } from '../support/flow/evolving.ts'
import { chanceOf } from '../support/values/chance.ts'

const inner = { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } }
const columns = structOf({ id: 'long', o: structOf({ a: 'long' }), l: arrayOf(structOf({ a: 'long' })) })

const CASES: readonly {
  readonly name: string
  readonly contract: object
  readonly message: object
  /** The row, or the fault. */
  readonly becomes: object | RegExp
  readonly policy?: SchemaEvolution
}[] = [
  {
    name: 'a required property',
    contract: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    message: { ID: 1 },
    becomes: /required property 'id'/,
  },
  {
    name: 'a required property, with rescue',
    contract: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    message: { ID: 1, Id: 'x' },
    becomes: /required property 'id'/,
    policy: 'rescue',
  },
  {
    name: 'a required property of a nested object',
    contract: { properties: { o: inner } },
    message: { o: { A: 1 } },
    becomes: /\/o must have required property 'a'/,
  },
  {
    name: 'a required property of array items',
    contract: { properties: { l: { type: 'array', items: inner } } },
    message: { l: [{ a: 1 }, { A: 1 }] },
    becomes: /\/l\/1 must have required property 'a'/,
  },
  {
    name: 'no further properties',
    contract: { type: 'object', properties: { id: { type: 'integer' } }, additionalProperties: false },
    message: { ID: 1 },
    becomes: /ID/,
  },
  {
    name: 'an optional property fills the column',
    contract: { type: 'object', properties: { id: { type: 'integer' } } },
    message: { ID: 1 },
    becomes: { id: 1 },
  },
  {
    name: 'an optional property fills the column, and no rule of the contract applies to it',
    contract: { properties: { id: { type: 'integer', maximum: 10 } } },
    message: { ID: 11 },
    becomes: { id: 11 },
  },
  {
    name: 'of two spellings the exact one fills the column',
    contract: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    message: { ID: 2, id: 1 },
    becomes: { id: 1 },
    policy: 'none',
  },
  {
    name: 'a rescued value is no violation',
    contract: { type: 'object', properties: { id: { type: 'integer' } } },
    message: { id: 'x', O: { a: 1 } },
    becomes: { o: { a: 1 }, _rescued_data: '{"id":"x"}' },
    policy: 'rescue',
  },
]

for (const { name, contract, message, becomes, policy = 'addNewColumns' } of CASES)
  test(`A contract is case-sensitive and columns are not: ${name}`, async (t) => {
    const store = new MemoryStore()
    await tableOf(store, columns)
    const worker = await evolvingWorker(store, {
      topic: [json([message])],
      chance: chanceOf(t),
      contract,
      policy,
    })
    await carryAll(worker)
    const rows = [...(await rowsIn(store)).values()]
    const letters = worker.letters.map(({ reason, message: fault }) => `${reason} ${fault}`)
    if (!(becomes instanceof RegExp)) assert.deepEqual([rows, letters], [[becomes], []])
    else {
      assert.deepEqual(rows, [])
      assert.match(letters.join('\n'), /^contract /)
      assert.match(letters.join('\n'), becomes)
    }
  })
