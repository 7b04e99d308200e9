import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { batchesOf } from '../../examples/custom-chain.ts'
import { columns, transformOrders } from '../../examples/transforms.ts'

test('the example of transforms gives every order one of its results', async () => {
  const { rows, deadLetters, filtered } = await transformOrders(
    batchesOf('orders', [
      [
        '{"order":"a","customer":"Ada","at":"2026-03-01T10:00:00Z","total":1.5}',
        '{"order":"test-1","total":1}',
      ],
      ['{"order":"b","total":-1}', '{"order":"c","total":2}'],
    ]),
  )
  const customer = createHash('sha256').update('ada').digest('hex')
  assert.deepEqual(rows, [
    { order_id: 'a', customer, total: 1.5, day: '2026-03-01', kafka: { partition: 0, offset: 0 } },
  ])
  assert.deepEqual(
    deadLetters.map(({ offset, reason }) => [offset, reason]),
    [
      [2n, 'rule'],
      [3n, 'transform'],
    ],
  )
  assert.equal(filtered, 1)
  assert.deepEqual(
    columns.schema.fields.map(({ name, type }) => [name, typeof type === 'string' ? type : type.type]),
    [
      ['order_id', 'string'],
      ['customer', 'string'],
      ['total', 'double'],
      ['day', 'date'],
      ['kafka', 'struct'],
    ],
  )
})
