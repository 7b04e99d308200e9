import { fingerprintOf } from '../../../src/formats/avro/fingerprint.ts'
import { parseAvroSchema } from '../../../src/formats/avro/schema.ts'
import { encoderOf } from '../../support/values/avro-values.ts'

/** An order as its producer means it; fields came with the versions of the schema. */
export interface Order {
  readonly id: number
  readonly placedAtMs: number
  /** Hundredths. */
  readonly cents: number
  readonly currency: 'EUR' | 'USD' | 'GBP'
  readonly sku: string
  readonly email: string
  /** Days since the epoch. */
  readonly dueDays: number
  readonly quantity: number
  /** From version 2 on. */
  readonly channel?: string
  /** From version 3 on. */
  readonly city?: string
}

export const DAY_MS = 86_400_000
/** Days over which orders are late. */
export const LATE_DAYS = 500

/** What each order must be; `channel` and `address` are what later versions bring. */
export const CONTRACT = {
  type: 'object',
  required: ['id', 'placed_at', 'amount', 'currency'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    placed_at: { type: 'string', format: 'date-time' },
    amount: { type: 'number', minimum: 0, 'x-delta-type': 'decimal(12,2)' },
    currency: { type: 'string', enum: ['EUR', 'USD', 'GBP'] },
    sku: { type: ['string', 'null'], pattern: '^[A-Z]{3}-[0-9]{4}$' },
    email: { type: ['string', 'null'], format: 'email' },
    due: { type: ['string', 'null'], format: 'date' },
    quantity: { type: ['integer', 'null'], 'x-delta-type': 'integer' },
  },
}

/** The columns of a line of CSV, which stays at version 1. */
export const CSV_COLUMNS = ['id', 'placed_at', 'amount', 'currency', 'sku', 'email', 'due', 'quantity']

const base = [
  { name: 'id', type: 'long' },
  { name: 'placed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
  { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['EUR', 'USD', 'GBP'] } },
  { name: 'sku', type: ['null', 'string'] },
  { name: 'email', type: ['null', 'string'] },
  { name: 'due', type: { type: 'int', logicalType: 'date' } },
  { name: 'quantity', type: 'int' },
]
const channel = { name: 'channel', type: ['null', 'string'] }
const address = {
  name: 'address',
  type: ['null', { type: 'record', name: 'Address', fields: [{ name: 'city', type: 'string' }] }],
}

/** The writers' schemas, version 1 first. */
export const AVRO_SCHEMAS: readonly object[] = [base, [...base, channel], [...base, channel, address]].map(
  (fields) => ({ type: 'record', name: 'Order', fields }),
)

/** The number of an order's version, from 1. */
export function versionOf({ channel: way, city }: Order): 1 | 2 | 3 {
  return city !== undefined ? 3 : way !== undefined ? 2 : 1
}

/** Days since the epoch as a date. */
export function dateOf(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 10)
}

/** The amount as a decimal number. */
export function amountOf(cents: number): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** An order as JSON; `over` replaces fields by JSON texts, `undefined` leaves one out. */
export function jsonOf(order: Order, over: Readonly<Record<string, string | undefined>> = {}): string {
  const fields: Record<string, string | undefined> = {
    id: String(order.id),
    placed_at: JSON.stringify(new Date(order.placedAtMs).toISOString()),
    amount: amountOf(order.cents),
    currency: JSON.stringify(order.currency),
    sku: JSON.stringify(order.sku),
    email: JSON.stringify(order.email),
    due: JSON.stringify(dateOf(order.dueDays)),
    quantity: String(order.quantity),
    channel: order.channel === undefined ? undefined : JSON.stringify(order.channel),
    address: order.city === undefined ? undefined : JSON.stringify({ city: order.city }),
    ...over,
  }
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${value}`],
  )
  return `{${parts.join(',')}}`
}

/** An order as a line of CSV. */
export function csvOf(order: Order): string {
  const { id, placedAtMs, cents, currency, sku, email, dueDays, quantity } = order
  const at = new Date(placedAtMs).toISOString()
  return [id, at, amountOf(cents), currency, sku, `"${email}"`, dateOf(dueDays), quantity].join(',')
}

const writers = AVRO_SCHEMAS.map((schema) => {
  const header = Buffer.alloc(10)
  header.writeUInt16BE(0xc301)
  header.writeBigUInt64LE(fingerprintOf(parseAvroSchema(schema, 'test')), 2)
  return { header, encode: encoderOf(schema) }
})

/** An order as an Avro single object, written by the schema of its version. */
export function avroOf(order: Order): Buffer {
  const writer = writers[versionOf(order) - 1]
  if (writer === undefined) throw new Error('a writer for each version')
  const value = {
    id: BigInt(order.id),
    placed_at: BigInt(order.placedAtMs),
    amount: bigEndian(order.cents),
    currency: order.currency,
    sku: { string: order.sku },
    email: { string: order.email },
    due: order.dueDays,
    quantity: order.quantity,
    channel: order.channel === undefined ? null : { string: order.channel },
    address: order.city === undefined ? null : { Address: { city: order.city } },
  }
  return Buffer.concat([writer.header, writer.encode(value)])
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
