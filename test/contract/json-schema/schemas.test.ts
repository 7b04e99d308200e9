import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readContract } from '../../../src/contract/file.ts'
import type { DataType } from '../../../src/core/schema.ts'

function columns(type: DataType): unknown {
  if (typeof type === 'string') return type
  if (type.type === 'array') return [columns(type.elementType)]
  if (type.type === 'map') return { '*': columns(type.valueType) }
  return Object.fromEntries(type.fields.map((field) => [field.name, columns(field.type)]))
}

test('user events have these columns and a plain contract', async () => {
  const contract = await readContract('schemas/user-events.schema.json')
  assert.deepEqual(columns(contract.schema), {
    event_id: 'string',
    user_id: 'long',
    event_type: 'string',
    timestamp: 'timestamp',
    country: 'string',
    amount: 'double',
    properties: { page: 'string', referrer: 'string' },
    tags: ['string'],
  })
  assert.equal(contract.plain?.fields.length, 8)
})

test('order events have exact decimals, nested items and a map', async () => {
  const contract = await readContract('schemas/order-events.schema.json')
  assert.deepEqual(columns(contract.schema), {
    order_id: 'string',
    customer_id: 'long',
    status: 'string',
    placed_at: 'timestamp',
    ship_by: 'date',
    currency: 'string',
    total: 'decimal(18,2)',
    gift: 'boolean',
    items: [{ sku: 'string', quantity: 'integer', price: 'decimal(18,2)', discount: 'decimal(18,2)' }],
    attributes: { '*': 'string' },
  })
  const order = {
    order_id: '0b7f3c1e-5a55-4d7e-9f0a-3f3f3f3f3f3f',
    customer_id: 1,
    status: 'paid',
    placed_at: '2026-03-01T10:00:00+01:00',
    total: '12.50',
    items: [{ sku: 'a', quantity: 2, price: 6.25, discount: null }],
    attributes: { channel: 'web' },
  }
  assert.equal(contract.check(order), undefined)
  assert.match(
    contract.check({ ...order, attributes: { channel: 1 } }) ?? '',
    /^\/attributes\/channel must be string/,
  )
})

test('web requests have nested producer times, an integer status and a plain contract', async () => {
  const contract = await readContract('schemas/web-requests.schema.json')
  assert.deepEqual(columns(contract.schema), {
    meta: { producer: { timestamp: 'timestamp' } },
    method: 'string',
    session_id: 'string',
    status: 'integer',
    url: 'string',
    body_bytes_sent: 'long',
    uuid: 'string',
  })
  assert.equal(contract.plain?.fields.length, 7)
})
