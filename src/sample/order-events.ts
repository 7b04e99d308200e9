import { ByteSink } from '../kafka/produce/byte-sink.ts'
import { encoded, generateEvents, pick, writeIsoDate, writeIsoTimestamp } from './event.ts'
import type { SampleEvent, SampleKind, SampleOptions } from './event.ts'

const STATUSES = encoded(['placed', 'placed', 'placed', 'paid', 'paid', 'shipped', 'shipped', 'cancelled'])
const CURRENCIES = encoded(['EUR', 'EUR', 'USD', 'GBP'])
const ATTRIBUTES = encoded([
  '{}',
  '{"channel":"web"}',
  '{"channel":"app","note":"Grüße"}',
  '{"channel":"store"}',
])
const SHIP_MS = 3 * 86_400_000
const CORRUPTIBLE_FIELDS = {
  integer: 'customer_id',
  required: 'status',
  word: 'status',
  time: 'placed_at',
  text: 'sku',
  last: 'attributes',
} as const

/** Writes the JSON of order events, and names the fields that bad ones corrupt. */
export const ORDER_EVENTS: SampleKind = { write, corruptibleFields: CORRUPTIBLE_FIELDS }

/**
 * Generates order events that match `schemas/order-events.schema.json`: about 360 bytes of JSON each, with one to
 * three items and a total that is the sum of the items. Every eighth total is text. Deterministic.
 */
export function generateOrderEvents(options: SampleOptions): Generator<SampleEvent> {
  return generateEvents(ORDER_EVENTS, options)
}

const NAMES = encoded([
  '{"order_id":"',
  '","customer_id":',
  ',"status":"',
  '","placed_at":"',
  '","ship_by":',
  ',"currency":"',
  '","total":',
  ',"gift":true,"items":[',
  ',"gift":false,"items":[',
  '],"attributes":',
])
const ITEM_NAMES = encoded(['{"sku":"SKU-', '","quantity":', ',"price":', ',"discount":'])
const NULL = Buffer.from('null')
const CANCELLED = 7
const [QUOTE, COMMA, DOT, CLOSE] = [0x22, 0x2c, 0x2e, 0x7d] as const
/** Holds the items while their sum is not known. */
const items = new ByteSink()

function write(json: ByteSink, id: ByteSink, atMs: number, first: number, second: number): void {
  items.clear()
  let cents = 0
  for (let item = 0; item <= first % 3; item++) cents += writeItem(item, first, second)
  const status = (first >>> 5) & 7
  json.raw(pick(NAMES, 0))
  json.raw(id.bytes, id.length)
  json.raw(pick(NAMES, 1))
  json.digits(1 + (second % 200_000))
  json.raw(pick(NAMES, 2))
  json.raw(pick(STATUSES, status))
  json.raw(pick(NAMES, 3))
  writeIsoTimestamp(json, atMs)
  json.raw(pick(NAMES, 4))
  if (status === CANCELLED) json.raw(NULL)
  else {
    json.byte(QUOTE)
    writeIsoDate(json, atMs + SHIP_MS)
    json.byte(QUOTE)
  }
  json.raw(pick(NAMES, 5))
  json.raw(pick(CURRENCIES, (first >>> 8) & 3))
  json.raw(pick(NAMES, 6))
  const isText = (second & 7) === 0
  if (isText) json.byte(QUOTE)
  writeMoney(json, cents)
  if (isText) json.byte(QUOTE)
  json.raw(pick(NAMES, (first >>> 10) % 16 === 0 ? 7 : 8))
  json.raw(items.bytes, items.length)
  json.raw(pick(NAMES, 9))
  json.raw(pick(ATTRIBUTES, (second >>> 20) & 3))
  json.byte(CLOSE)
}

/** Writes an item; returns what it costs in hundredths. */
function writeItem(item: number, first: number, second: number): number {
  const quantity = 1 + ((second >>> (item * 4)) & 3)
  const price = 99 + (((first >>> 4) + item * 7_919) % 20_000)
  const discount = ((second >>> (item + 12)) & 3) === 0 ? Math.floor(price / 10) : undefined
  if (item > 0) items.byte(COMMA)
  items.raw(pick(ITEM_NAMES, 0))
  items.digits(1_000 + (((second >>> 8) + item) % 9_000))
  items.raw(pick(ITEM_NAMES, 1))
  items.digits(quantity)
  items.raw(pick(ITEM_NAMES, 2))
  writeMoney(items, price)
  items.raw(pick(ITEM_NAMES, 3))
  if (discount === undefined) items.raw(NULL)
  else writeMoney(items, discount)
  items.byte(CLOSE)
  return quantity * (price - (discount ?? 0))
}

/** Writes hundredths as a decimal number. */
function writeMoney(json: ByteSink, cents: number): void {
  json.digits(Math.floor(cents / 100))
  json.byte(DOT)
  json.pair(cents % 100)
}
