import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defer, lastValueFrom, of } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import { validate } from '../../operators/validate.ts'
import { loadContract, type Contract } from '../../src/contract/contract.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { rawBatch, rawOf } from '../support/flow/batches.ts'
import { errorOf, operatorContract, outputsOf } from '../support/flow/operator-contract.ts'
import { outcomesOfRows } from '../support/flow/outcomes.ts'

const contract = loadContract(
  {
    type: 'object',
    required: ['n'],
    properties: { n: { type: 'integer' }, m: { type: 'object', additionalProperties: { type: 'integer' } } },
  },
  { source: 'test' },
)
const decoded = (values: readonly (string | null)[]) =>
  outputsOf(decode(jsonFormat({ schema: contract.schema, plain: contract.plain })), [rawBatch(values)])
operatorContract('validate', () => validate(contract))

test('Valid rows are passed on; rows that violate the contract or do not fit their column become dead letters with a reason', () => {
  const [batch] = outputsOf(
    validate(contract),
    decoded(['{"n":1}', '{}', '{"n":99999999999999999999}', null, 'x', '{"n":2,"m":{"k":3}}']),
  )
  assert.ok(batch !== undefined)
  const outcomes = outcomesOfRows(batch.payload)
  assert.deepEqual(
    [outcomes[0], outcomes[3], outcomes[5]],
    [{ row: { n: 1, m: null } }, 'tombstone', { row: { n: 2, m: { k: 3 } } }],
  )
  assert.deepEqual(
    [1, 2, 4].map((index) => (outcomes[index] as { reason: string }).reason),
    ['contract', 'type', 'decode'],
  )
})

test('Rows that the format has validated are not checked again and keep their order among the others', () => {
  const plain = loadContract({ type: 'object', properties: { s: { type: 'string' } } }, { source: 'test' })
  const seen: unknown[] = []
  const watched: Contract = {
    ...plain,
    check: (row) => {
      seen.push(row)
      return plain.check(row)
    },
  }
  const batches = outputsOf(decode(jsonFormat({ schema: plain.schema, plain: plain.plain })), [
    rawBatch(['{"s":"a"}', '{"\\u0073":"b"}', '{"s":"c"}']),
  ])
  const [batch] = outputsOf(validate(watched), batches)
  assert.deepEqual(batch && outcomesOfRows(batch.payload), [
    { row: { s: 'a' } },
    { row: { s: 'b' } },
    { row: { s: 'c' } },
  ])
  assert.deepEqual(seen, [{ s: 'b' }])
})

test('Several batches share nothing, provenance is kept, and an empty batch is an empty batch', () => {
  const inputs = [...decoded(['{"n":1}', '{"n":2}']), ...decoded([]), ...decoded(['{"n":3}'])]
  const out = outputsOf(validate(contract), inputs)
  assert.deepEqual(
    out.map(({ payload }) => payload.columns.length),
    [2, 0, 1],
  )
  assert.deepEqual(
    out.map(({ provenance }) => provenance),
    inputs.map(({ provenance }) => provenance),
  )
})

test('A contract that throws stops the stream', () => {
  const broken: Contract = {
    ...contract,
    plain: undefined,
    check: () => {
      throw new Error('a bug')
    },
  }
  const payload = {
    raw: rawOf(['{}']),
    validated: undefined,
    objects: [{}],
    records: [0],
    deadLetters: [],
    tombstones: 0,
  }
  assert.match(String(errorOf(validate(broken), { provenance: rawBatch([]).provenance, payload })), /a bug/)
})

test('Two subscriptions share no rows: those before a failure are not in the rows of the next subscription', async () => {
  const [batch] = decoded(['{"n":1}'])
  assert.ok(batch !== undefined)
  const failing = {
    get n(): number {
      throw new Error('no value')
    },
  }
  const withObjects = (objects: readonly unknown[]): typeof batch => ({
    provenance: batch.provenance,
    payload: {
      ...batch.payload,
      validated: undefined,
      objects,
      records: Int32Array.from(objects.keys()),
    } as unknown as typeof batch.payload,
  })
  const batches = [withObjects([{ n: 1 }, failing]), withObjects([{ n: 2 }])]
  const unchecked: Contract = { ...contract, check: () => undefined }
  const rows = defer(() => of(batches.shift() ?? batch)).pipe(validate(unchecked))
  await assert.rejects(lastValueFrom(rows), /no value/)
  const { payload } = await lastValueFrom(rows)
  assert.equal(payload.columns.length, 1)
})
