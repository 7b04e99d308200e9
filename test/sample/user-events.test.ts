import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readContract } from '../../src/contract/file.ts'
import { BAD_RECORD_KINDS } from '../../src/sample/bad-records.ts'
import { generateUserEvents } from '../../src/sample/user-events.ts'

const contract = await readContract('schemas/user-events.schema.json')
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Returns true when a record fits the table: JSON in UTF-8, valid for the contract, its integers within 64 bits. */
function isGood(value: Buffer): boolean {
  try {
    const text = utf8.decode(value)
    return contract.check(JSON.parse(text)) === undefined && !/:\d{19,}/.test(text)
  } catch {
    return false
  }
}

test('the same seed gives the same events, another seed others', () => {
  const events = [...generateUserEvents({ seed: 7, count: 500, badEvery: 50, traceparentEvery: 10 })]
  assert.deepEqual(
    [...generateUserEvents({ seed: 7, count: 500, badEvery: 50, traceparentEvery: 10 })],
    events,
  )
  assert.notDeepEqual([...generateUserEvents({ seed: 8, count: 500 })][0], events[0])
})

test('exactly the events marked as bad violate the contract, in every kind', () => {
  const kinds = new Set<string>()
  let bad = 0
  for (const event of generateUserEvents({ seed: 1, count: 5_000, badEvery: 100 })) {
    assert.equal(
      isGood(event.value),
      event.bad === undefined,
      `${event.key} ${event.value.toString().slice(0, 300)}`,
    )
    assert.equal(event.key.startsWith('bad-'), event.bad !== undefined)
    if (event.bad !== undefined) bad++
    if (event.bad !== undefined) kinds.add(event.bad)
  }
  assert.equal(bad, 50)
  assert.deepEqual([...kinds].sort(), [...BAD_RECORD_KINDS].sort())
})

test('keys are unique, and values have about 230 bytes', () => {
  const keys = new Set<string>()
  let bytes = 0
  for (const { key, value } of generateUserEvents({ seed: 3, count: 70_000 })) {
    keys.add(key)
    bytes += value.length
  }
  assert.equal(keys.size, 70_000)
  assert.ok(bytes / 70_000 > 190 && bytes / 70_000 < 260, String(bytes / 70_000))
})

test('200,000 events spread over three days, in order up to a minute', () => {
  const days = new Map<string, number>()
  for (const { value } of generateUserEvents({ seed: 3, count: 200_000 })) {
    const day = /"timestamp":"(\d{4}-\d\d-\d\d)/.exec(value.toString())?.[1] ?? ''
    days.set(day, (days.get(day) ?? 0) + 1)
  }
  assert.deepEqual([...days.keys()], ['2026-03-01', '2026-03-02', '2026-03-03'])
  for (const count of days.values()) assert.ok(count > 60_000, String(count))
})

test('every n-th event has a valid traceparent header', () => {
  const events = [...generateUserEvents({ seed: 3, count: 100, traceparentEvery: 25 })]
  assert.deepEqual(
    events.flatMap((event, at) => (event.headers === undefined ? [] : [at])),
    [0, 25, 50, 75],
  )
  for (const { headers } of events) {
    if (headers !== undefined) assert.match(headers['traceparent'] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  }
})
