import type { DeadLetterReason } from '../../../src/core/batch.ts'
import { avroOf, csvOf, dateOf, DAY_MS, jsonOf, LATE_DAYS, type Order } from './mixed-messages.ts'

/** One way in which a message is broken, and what must be said of it. */
export interface Fault {
  readonly name: string
  readonly reason: DeadLetterReason
  /** What the message of its dead letter must say. */
  readonly says: RegExp
  /** The value; the date that its header states is `cob` where that is what is broken. */
  make(order: Order, nowMs: number): { readonly value: Buffer; readonly cob?: string | null }
}

type Over = Readonly<Record<string, string | undefined>>

const text = (value: string): { value: Buffer } => ({ value: Buffer.from(value) })
const json =
  (over: Over) =>
  (order: Order): { value: Buffer } =>
    text(jsonOf(order, over))
const cut = (bytes: Buffer, by: number): Buffer => bytes.subarray(0, bytes.length - by)
const withCob =
  (cob: (nowMs: number) => string | null) =>
  (order: Order, nowMs: number): { value: Buffer; cob: string | null } => ({
    ...text(jsonOf(order)),
    cob: cob(nowMs),
  })

const DECODE: readonly Omit<Fault, 'reason'>[] = [
  { name: 'an empty value', says: /empty/, make: () => text('') },
  { name: 'JSON that was cut off', says: /json/i, make: (order) => text(jsonOf(order).slice(0, -9)) },
  { name: 'more behind JSON', says: /json/i, make: (order) => text(`${jsonOf(order)} and more`) },
  {
    name: 'JSON that is no UTF-8',
    says: /UTF-8/i,
    make: (order) => ({ value: Buffer.from(jsonOf(order, { sku: '"\xff\xfe"' }), 'latin1') }),
  },
  { name: 'an unknown escape', says: /json/i, make: json({ sku: '"\\x41"' }) },
  { name: 'NaN', says: /json/i, make: json({ amount: 'NaN' }) },
  { name: 'a comma too many', says: /json/i, make: (order) => text(`${jsonOf(order).slice(0, -1)},}`) },
  { name: 'bytes of no format', says: /format/i, make: () => ({ value: Buffer.from('89f0ffee00', 'hex') }) },
  { name: 'a list', says: /./, make: (order) => text(`[${jsonOf(order)}]`) },
  {
    name: 'too few fields of CSV',
    says: /field/i,
    make: (order) => text(csvOf(order).split(',').slice(1).join()),
  },
  { name: 'too many fields of CSV', says: /field/i, make: (order) => text(`${csvOf(order)},9`) },
  { name: 'an open quote', says: /quote/i, make: (order) => text(csvOf(order).replace('",', ',')) },
  {
    name: 'a fingerprint that nobody knows',
    says: /fingerprint/,
    make: (order) => ({
      value: Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), avroOf(order).subarray(10)]),
    }),
  },
  {
    name: 'Avro that was cut off',
    says: /avro|end|more/i,
    make: (order) => ({ value: cut(avroOf(order), 1) }),
  },
  {
    name: 'more behind Avro',
    says: /more/,
    make: (order) => ({ value: Buffer.concat([avroOf(order), Buffer.from([1, 2])]) }),
  },
  {
    name: 'a symbol that the enum lacks',
    says: /./,
    make: (order) => {
      const value = Buffer.from(avroOf({ ...order, id: 1, placedAtMs: 0, cents: 0, currency: 'EUR' }))
      // Behind the header: id and time of one byte each, eight bytes of amount with their length, then the enum.
      value[10 + 1 + 1 + 9] = 0x7e
      return { value }
    },
  },
]

const CONTRACT: readonly Omit<Fault, 'reason'>[] = [
  { name: 'no id', says: /id/, make: json({ id: undefined }) },
  { name: 'an id in words', says: /id/, make: json({ id: '"seven"' }) },
  { name: 'an id of zero', says: /id/, make: json({ id: '0' }) },
  { name: 'a currency of another world', says: /currency/, make: json({ currency: '"ZZZ"' }) },
  { name: 'a sku in small letters', says: /sku/, make: json({ sku: '"abc-1234"' }) },
  { name: 'an address without @', says: /email/, make: json({ email: '"nobody"' }) },
  { name: 'a time of no day', says: /placed_at/, make: json({ placed_at: '"2026-13-45T00:00:00Z"' }) },
  { name: 'a date of no month', says: /due/, make: json({ due: '"2026-02-30"' }) },
  { name: 'a negative amount', says: /amount/, make: json({ amount: '-1' }) },
  { name: 'no amount', says: /amount/, make: json({ amount: 'null' }) },
  { name: 'half a quantity', says: /quantity/, make: json({ quantity: '1.5' }) },
]

const LATER: readonly Fault[] = [
  { name: 'an amount too large', reason: 'type', says: /amount/, make: json({ amount: '12345678901.23' }) },
  { name: 'a quantity too large', reason: 'type', says: /quantity/, make: json({ quantity: '3000000000' }) },
  { name: 'a rule', reason: 'rule', says: /no free pounds/, make: json({ currency: '"GBP"', amount: '0' }) },
  { name: 'a transform', reason: 'transform', says: /promised/, make: json({ promise: '"soon"' }) },
  { name: 'a constraint', reason: 'constraint', says: /quantity/, make: json({ quantity: '5000' }) },
  { name: 'no business date', reason: 'partition', says: /cob/i, make: withCob(() => null) },
  { name: 'a business date in words', reason: 'partition', says: /soon/, make: withCob(() => 'soon') },
  {
    name: 'a business date to come',
    reason: 'partition',
    says: /future|after/i,
    make: withCob((nowMs) => dateOf(Math.floor(nowMs / DAY_MS) + 3)),
  },
  {
    name: 'a business date long gone',
    reason: 'partition',
    says: /back|before|old/i,
    make: withCob((nowMs) => dateOf(Math.floor(nowMs / DAY_MS) - LATE_DAYS - 3)),
  },
]

/** Every way, in the order of the stages that find it. */
export const FAULTS: readonly Fault[] = [
  ...DECODE.map((fault) => ({ ...fault, reason: 'decode' as const })),
  ...CONTRACT.map((fault) => ({ ...fault, reason: 'contract' as const })),
  ...LATER,
]
