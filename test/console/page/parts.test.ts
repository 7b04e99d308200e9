// The parts of the page that need no browser.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sizeText, clock, count, duration, percent, short, DASH } from '../../../src/console/format.ts'
import { pathOf } from '../../../src/console/page/sparkline.ts'
import { EventBuffer } from '../../../src/console/page/stream.ts'
import { ranges } from '../../../src/console/page/surroundings.ts'
import { trendText } from '../../../src/console/page/topics.ts'
import { verbsFor } from '../../../src/console/page/verbs.ts'
import { HEALTHY } from './support/snapshots.ts'

test('Numbers, sizes and times are short, and what is unknown is a dash', () => {
  assert.deepEqual(
    [count(1_234_567), count('90071992547409931'), count(0)],
    ['1\u202f234\u202f567', '90\u202f071\u202f992\u202f547\u202f409\u202f931', '0'],
  )
  assert.deepEqual(
    [short(0), short(999), short(1_000), short(88_000), short(241_880), short(-3_400_000)],
    ['0', '999', '1.0k', '88.0k', '242k', '-3.4M'],
  )
  assert.deepEqual(
    [sizeText(0), sizeText(812), sizeText(8_100_000), sizeText(412e9)],
    ['0 B', '812 B', '8.1 MB', '412 GB'],
  )
  assert.deepEqual(
    [
      duration(0),
      duration(840),
      duration(12_400),
      duration(59_000),
      duration(200_000),
      duration(7_500_000),
      duration(86_400_000),
    ],
    ['0 ms', '840 ms', '12.4 s', '59 s', '3 min 20 s', '2 h 5 min', '1 d'],
  )
  assert.deepEqual([percent(0), percent(0.088)], ['0 %', '9 %'])
  for (const text of [
    count(null),
    short(null),
    sizeText(null),
    duration(null),
    clock(null, 0),
    percent(null),
  ])
    assert.equal(text, DASH)
})

test('A line breaks where values are unknown, and a value alone is a dot', () => {
  const series = { everyMs: 1_000, endMs: 0 }
  assert.equal(pathOf({ ...series, values: [null, null] }), '')
  assert.equal(pathOf({ ...series, values: [0, 10, null, 5] }, 30, 23), 'M0.0 21.5L10.0 1.5M30.0 11.5h.01')
})

test('Events are cut from pieces, comments and event names are left out', () => {
  const buffer = new EventBuffer()
  assert.deepEqual(buffer.add(': hello\n\nevent: snapshot\nda'), [])
  assert.deepEqual(buffer.add('ta: {"a":1}\n\ndata: 2\n\ndata: 3'), ['{"a":1}', '2'])
  assert.deepEqual(buffer.add('\n\n'), ['3'])
})

test('Partitions are ranges; a lag is cleared only while it shrinks; verbs fit the state', () => {
  assert.deepEqual([ranges([]), ranges([3]), ranges([7, 0, 1, 2])], ['', '3', '0–2, 7'])
  assert.deepEqual(
    [trendText(null, null), trendText('growing', null), trendText('draining', 65_000)],
    ['–', '↗ growing', '↘ draining, clear in 1 min 5 s'],
  )
  const [topic] = HEALTHY.topics
  assert.ok(topic)
  assert.deepEqual(verbsFor(topic), ['pause', 'flush', 'optimize'])
  assert.deepEqual(verbsFor({ ...topic, state: 'paused' }), ['resume', 'optimize'])
  assert.deepEqual(verbsFor({ ...topic, state: 'failed' }), [])
})
