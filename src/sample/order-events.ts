import { formatIsoDate, generateEvents, formatIsoTimestamp, pick } from './event.ts'
import type { SampleEvent, SampleOptions } from './event.ts'

const STATUSES = ['placed', 'placed', 'placed', 'paid', 'paid', 'shipped', 'shipped', 'cancelled']
const CURRENCIES = ['EUR', 'EUR', 'USD', 'GBP']
const ATTRIBUTES = ['{}', '{"channel":"web"}', '{"channel":"app","note":"Grüße"}', '{"channel":"store"}']
const SHIP_MS = 3 * 86_400_000
const CORRUPTIBLE_FIELDS = {
  integer: 'customer_id',
  required: 'status',
  word: 'status',
  time: 'placed_at',
  text: 'sku',
  last: 'attributes',
} as const

/**
 * Generates order events that match `schemas/order-events.schema.json`: about 360 bytes of JSON each, with one to
 * three items and a total that is the sum of the items. Every eighth total is text. Deterministic.
 */
export function generateOrderEvents(options: SampleOptions): Generator<SampleEvent> {
  return generateEvents({ toJson: orderJson, corruptibleFields: CORRUPTIBLE_FIELDS }, options)
}

function orderJson(id: string, atMs: number, first: number, second: number): string {
  let cents = 0
  let items = ''
  for (let item = 0; item <= first % 3; item++) {
    const quantity = 1 + ((second >>> (item * 4)) & 3)
    const price = 99 + (((first >>> 4) + item * 7_919) % 20_000)
    const discount = ((second >>> (item + 12)) & 3) === 0 ? Math.floor(price / 10) : undefined
    cents += quantity * (price - (discount ?? 0))
    items +=
      `${item === 0 ? '' : ','}{"sku":"SKU-${1_000 + (((second >>> 8) + item) % 9_000)}","quantity":${quantity},` +
      `"price":${money(price)},"discount":${discount === undefined ? 'null' : money(discount)}}`
  }
  const total = (second & 7) === 0 ? `"${money(cents)}"` : money(cents)
  const status = pick(STATUSES, (first >>> 5) & 7)
  const shipBy = status === 'cancelled' ? 'null' : `"${formatIsoDate(atMs + SHIP_MS)}"`
  return (
    `{"order_id":"${id}","customer_id":${1 + (second % 200_000)},"status":"${status}",` +
    `"placed_at":"${formatIsoTimestamp(atMs)}","ship_by":${shipBy},"currency":"${pick(CURRENCIES, (first >>> 8) & 3)}",` +
    `"total":${total},"gift":${(first >>> 10) % 16 === 0},"items":[${items}],` +
    `"attributes":${pick(ATTRIBUTES, (second >>> 20) & 3)}}`
  )
}

/** Formats hundredths as a decimal number. */
function money(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}
