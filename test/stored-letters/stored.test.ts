// Goal: a letter written to a topic or a table is read back as the record it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '../../src/core/batch.ts'
import { causeIdOf } from '../../src/stored-letters/cause.ts'
import {
  matchesFilter,
  letterOfRow,
  type LetterFilter,
  readLetterRecord,
  type StoredLetter,
} from '../../src/stored-letters/stored.ts'
import type { Headers } from '../../src/core/raw.ts'
import { toDeadLetterRow } from '../../src/stored-letters/row.ts'
import { envelopeOf, TRACE_ID_HEADER } from '../../src/kafka/dead-letters/dead-letter-envelope.ts'

const NOW_MS = 1_772_323_200_000

const LETTER: DeadLetter = {
  reason: 'contract',
  message: 'was bad',
  topic: 'events',
  partition: 3,
  offset: 7n,
  timestampMs: NOW_MS - 1000,
  key: Buffer.from('k'),
  value: Buffer.from('{"v":"x"}'),
}

function written(
  facts: Partial<DeadLetter>,
  valueBytesMax = 1000,
  headers?: Headers,
): StoredLetter | undefined {
  const letter: DeadLetter = { ...LETTER, ...facts }
  const record = readLetterRecord(Buffer.from(envelopeOf(letter, 2, valueBytesMax, NOW_MS)), headers)
  return record?.kind === 'letter' ? record.letter : undefined
}

test('A letter in an envelope is read back with its position, bytes and times', () => {
  const letter = written({})
  assert.ok(letter !== undefined, 'it is a dead letter')
  assert.deepEqual(letter.position, { topic: 'events', partition: 3, offset: 7n, ordinal: 2 })
  assert.deepEqual([letter.reason, letter.stage, letter.message], ['contract', 'schema', 'was bad'])
  assert.deepEqual([letter.timestampMs, letter.writtenMs], [NOW_MS - 1000, NOW_MS])
  assert.equal(Buffer.from(letter.value ?? []).toString(), '{"v":"x"}')
  assert.equal(letter.unplayable, undefined)
})

test('Binary values, absent values and offsets beyond a double are read back unchanged', () => {
  const binary = written({ value: Buffer.from([0xff, 0, 1]), key: undefined, offset: 2n ** 60n })
  assert.deepEqual([...(binary?.value ?? [])], [0xff, 0, 1])
  assert.deepEqual([binary?.key, binary?.position?.offset], [undefined, 2n ** 60n])
  assert.equal(written({ value: undefined, reason: 'tombstone' })?.value, undefined)
  assert.equal(written({ timestampMs: 1e17 })?.timestampMs, 1e17)
})

test('The trace id of a letter is separated from the headers of its record', () => {
  const id = Buffer.from('0af7651916cd43dd8448eb211c80319c')
  const own = { 'x-id': Buffer.from('1') }
  const both = written({}, 1000, { ...own, [TRACE_ID_HEADER]: id })
  assert.equal(both?.traceId, id.toString())
  assert.deepEqual(both.headers, own)
  const bare = written({}, 1000, { [TRACE_ID_HEADER]: id })
  assert.deepEqual([bare?.traceId, bare?.headers], [id.toString(), undefined])
  const untraced = written({}, 1000, own)
  assert.deepEqual([untraced?.traceId, untraced?.headers], [undefined, own])
})

test('A letter with a truncated value and without parts cannot be replayed and reports the original size', () => {
  assert.equal(
    written({ value: Buffer.alloc(5000, 97) })?.unplayable,
    'value truncated in the envelope, 5000 bytes in Kafka',
  )
})

for (const text of [
  '',
  'no json',
  '[]',
  'null',
  '{"original_topic":"t"}',
  '{"original_topic":"t","original_partition":0,"original_offset":-1,"error_message":"m"}',
]) {
  test(`A record that is not a dead letter of this service is ignored: ${JSON.stringify(text)}`, () => {
    assert.equal(readLetterRecord(Buffer.from(text), undefined), undefined)
  })
}

test('A row of kafka-delta-ingest is a letter without a position', () => {
  const letter = letterOfRow({
    base64_bytes: 'AAE=',
    json_string: null,
    error: 'expected value at line 1 column 1',
    timestamp: '2026-03-01T00:00:00.000000Z',
    date: '2026-03-01',
  })
  assert.deepEqual(
    [letter.position, letter.reason, [...(letter.value ?? [])], letter.writtenMs],
    [undefined, 'decode', [0, 1], NOW_MS],
  )
  assert.match(letter.unplayable ?? '', /does not say which record/)
})

test('Headers of a row keep several values with one name', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const { headers } = letterOfRow({
    headers: [
      { name: 'a', value: base64('1') },
      { name: 'b', value: base64('2') },
      { name: 'a', value: base64('3') },
    ],
  })
  assert.deepEqual(headers, { a: [Buffer.from('1'), Buffer.from('3')], b: Buffer.from('2') })
})

test('Null headers of an envelope and of a row are null again, empty ones empty', () => {
  const [none, some] = [Buffer.from(''), Buffer.from('1')]
  const headers = { none: null, empty: none, many: [null, some, none] }
  const asRead = { none, empty: none, many: [none, some, none] }
  assert.deepEqual(written({ headers }, 1000, asRead)?.headers, headers)
  // Without the list of the envelope they stay as they are.
  assert.deepEqual(written({}, 1000, asRead)?.headers, asRead)
  // A header that another program put in place of the null one is no null.
  assert.deepEqual(written({ headers: { none: null } }, 1000, { none: some })?.headers, { none: some })
  const row = toDeadLetterRow({ ...LETTER, headers }, 0, NOW_MS)
  const stored = (row['headers'] as { name: string; value: Uint8Array | null }[]).map(({ name, value }) => ({
    name,
    value: value && Buffer.from(value).toString('base64'),
  }))
  assert.deepEqual(letterOfRow({ ...row, headers: stored }).headers, headers)
})

const FILTERS: readonly (readonly [LetterFilter, boolean])[] = [
  [{}, true],
  [{ reason: 'contract' }, true],
  [{ reason: 'schema' }, true],
  [{ reason: 'decode' }, false],
  [{ sinceMs: NOW_MS }, true],
  [{ sinceMs: NOW_MS + 1 }, false],
  [{ partition: 3, offset: 7n }, true],
  [{ partition: 2 }, false],
  [{ offset: 8n }, false],
  [{ match: 'WAS' }, true],
  [{ match: 'good' }, false],
  [{ group: causeIdOf('contract', 'was bad') }, true],
  [{ group: causeIdOf('type', 'was bad') }, false],
  [{ topic: 'events' }, true],
  [{ topic: 'others' }, false],
]
for (const [filter, wanted] of FILTERS) {
  const shown = JSON.stringify(filter, (_, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  )
  test(`A letter is ${wanted ? 'selected' : 'skipped'} by ${shown}`, () => {
    const letter = written({})
    assert.ok(letter !== undefined, 'it is a dead letter')
    assert.equal(matchesFilter(letter, filter), wanted)
  })
}
