// Goal: every record of a letter is below the size limit, and together they hold all of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../../src/core/batch.ts'
import type { Headers } from '../../../src/core/raw.ts'
import { TRACE_ID_HEADER } from '../../../src/kafka/dead-letters/dead-letter-envelope.ts'
import {
  countTransacted,
  PART_HEADER,
  recordBytesOf,
  recordsOf,
  transactionTimeoutMs,
} from '../../../src/kafka/dead-letters/letter-records.ts'

const KIB = 1024
const LETTER: DeadLetter = {
  reason: 'decode',
  message: 'expected JSON',
  topic: 'events',
  partition: 1,
  offset: 7n,
  timestampMs: 1_700_000_000_000,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
}

interface Made {
  readonly fields: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>> | undefined
  readonly key: string
  readonly size: number
}

function made(facts: Partial<DeadLetter>, valueBytesMax = 512 * KIB, traceId?: string): readonly Made[] {
  const options = { partition: 0, valueBytesMax, nowMs: 0, traceId }
  return [...recordsOf({ ...LETTER, ...facts }, 2, options)].map(({ message, bytes }) => {
    assert.ok(message.value !== null && message.key != null, 'it has bytes')
    return {
      fields: JSON.parse(message.value.toString()) as Readonly<Record<string, unknown>>,
      headers: message.headers,
      key: message.key.toString(),
      size: bytes,
    }
  })
}

test('A letter within the limits is one record without parts', () => {
  const [record, ...more] = made({ value: Buffer.alloc(512 * KIB, 97), key: Buffer.alloc(16 * KIB, 98) })
  assert.equal(more.length, 0)
  assert.deepEqual(
    [record?.fields['dlq_parts'], record?.fields['original_value_truncated'], record?.headers],
    [undefined, undefined, undefined],
  )
})

const LARGE: Readonly<Record<string, Partial<DeadLetter>>> = {
  value: { value: Buffer.alloc(3 * KIB * KIB, 97) },
  'binary value': { value: Buffer.alloc(1000 * KIB, 255) },
  'value full of quotation marks': { value: Buffer.alloc(2000 * KIB, 34) },
  key: { key: Buffer.alloc(100 * KIB, 97) },
  headers: { headers: { big: Buffer.alloc(1000 * KIB, 97) } },
  'null value with large headers': { value: undefined, headers: { big: Buffer.alloc(200 * KIB) } },
}
for (const [name, facts] of Object.entries(LARGE)) {
  test(`A large ${name} is carried in parts, each record below 1 MiB`, () => {
    const [first, ...parts] = made(facts)
    assert.ok(parts.length > 0, 'it has parts')
    assert.equal(first?.fields['dlq_parts'], parts.length)
    for (const { size } of [first, ...parts]) assert.ok(size < 1000 * KIB, `${size} bytes`)
    const id = first.fields['dlq_parts_id']
    for (const [index, { fields, headers }] of parts.entries()) {
      assert.deepEqual(
        [fields['dlq_part'], fields['dlq_parts'], fields['dlq_parts_id']],
        [index + 1, parts.length, id],
      )
      assert.deepEqual([fields['original_offset'], fields['original_ordinal']], [7, 2])
      assert.deepEqual({ ...headers }, { [PART_HEADER]: `${index + 1}/${parts.length}` })
      // Earlier versions take a record without a message for one of another service.
      assert.equal(fields['error_message'], undefined)
    }
    const bytes = parts.reduce(
      (sum, { fields }) => sum + Buffer.from(String(fields['dlq_part_content']), 'base64').length,
      0,
    )
    assert.equal(first.fields['dlq_parts_bytes'], bytes)
    assert.equal(new Set([first, ...parts].map(({ key }) => key)).size, parts.length + 1)
    assert.ok(recordBytesOf({ ...LETTER, ...facts }) >= bytes, 'the estimate covers the content')
  })
}

test('With a low limit of the topic, keys, messages and headers become smaller as well', () => {
  const facts = {
    key: Buffer.alloc(16 * KIB, 97),
    value: Buffer.alloc(40 * KIB, 98),
    message: 'm'.repeat(100_000),
    headers: { some: Buffer.alloc(2 * KIB, 99) },
  }
  for (const valueBytesMax of [8 * KIB, 2 * KIB, KIB])
    for (const { size } of made(facts, valueBytesMax))
      assert.ok(size < 6 * valueBytesMax, `${size} bytes for ${valueBytesMax}`)
})

test('Null headers are empty in the record, and the envelope lists their positions', () => {
  const headers: Headers = { none: null, many: [Buffer.from('1'), null], some: Buffer.from('2') }
  const [record, ...more] = made({ headers })
  assert.equal(more.length, 0)
  assert.deepEqual(record?.fields['original_headers_null'], { none: [0], many: [1] })
  assert.deepEqual(record.headers, {
    none: [Buffer.from('')],
    many: [Buffer.from('1'), Buffer.from('')],
    some: [Buffer.from('2')],
  })
  assert.equal(made({ headers: { some: Buffer.from('2') } })[0]?.fields['original_headers_null'], undefined)
})

test('The trace id is a header of the first record; a header of the original with that name is kept in parts', () => {
  const [record] = made({ headers: { a: Buffer.from('1') } }, KIB, 'trace')
  assert.deepEqual(record?.headers, { a: [Buffer.from('1')], [TRACE_ID_HEADER]: 'trace' })
  const records = made({ headers: { [TRACE_ID_HEADER]: Buffer.from('theirs') } }, KIB, 'ours')
  assert.deepEqual([records.length, records[0]?.headers?.[TRACE_ID_HEADER]], [2, 'ours'])
})

test('Letters of one message are in one transaction, whose timeout grows with them up to 10 minutes', () => {
  const sized = (bytes: number, ordinal = 0): { letter: DeadLetter; ordinal: number } => ({
    letter: { ...LETTER, value: new Uint8Array(bytes) },
    ordinal,
  })
  const MIB = KIB * KIB
  assert.equal(countTransacted([]), 0)
  assert.deepEqual([countTransacted([sized(50 * MIB)]), countTransacted([sized(50 * MIB), sized(1)])], [1, 1])
  assert.equal(countTransacted([sized(1), sized(5 * MIB), sized(5 * MIB)]), 2)
  const message = [sized(5 * MIB), sized(5 * MIB, 1), sized(5 * MIB, 2)]
  assert.equal(countTransacted([...message, sized(1)]), 3)
  assert.equal(transactionTimeoutMs([]), 15_000)
  assert.equal(transactionTimeoutMs([sized(1), sized(MIB)]), 15_000)
  assert.ok(transactionTimeoutMs(message) > 30_000, 'the letters of a message add up')
  assert.equal(transactionTimeoutMs([sized(5 * MIB), sized(5 * MIB), sized(5 * MIB)]), 15_000)
  assert.equal(transactionTimeoutMs([sized(400 * MIB)]), 600_000)
})
