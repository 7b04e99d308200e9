import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicState } from '../../../src/service/health/readiness.ts'
import { judge, untrue, type Fact } from './judge.ts'
import type { Sample } from './process.ts'

const SECONDS = 30
const KNOWN_MS_MAX = 10_000

/** One sample a second. */
function sampled(codeAt: (second: number) => 200 | 503, state: TopicState = 'running'): Sample[] {
  return Array.from({ length: SECONDS }, (_, second) => {
    const status = codeAt(second) === 200 ? 'ready' : 'unavailable'
    const components = { kafka: {}, stores: {}, registries: {}, topics: { orders: { state } } }
    return { atMs: second * 1000, tookMs: 1, ready: { code: codeAt(second), status, components } }
  })
}

/** One look a second; offsets that are carried and the end of the topic. */
function seen(
  carriedAt: (second: number) => number,
  endAt: (second: number) => number | undefined,
): Map<string, Fact[]> {
  const facts = Array.from({ length: SECONDS }, (_, second) => {
    const end = endAt(second)
    return {
      atMs: second * 1000,
      carried: BigInt(carriedAt(second)),
      end: end === undefined ? undefined : BigInt(end),
    }
  })
  return new Map([['orders', facts]])
}

const GROWS = (second: number): number => 10 * second
const STOPS = (second: number): number => 10 * Math.min(second, 5)
const READY = sampled(() => 200)
const UNAVAILABLE = sampled(() => 503)

function wrongOf(samples: readonly Sample[], facts: ReadonlyMap<string, readonly Fact[]>): readonly string[] {
  return untrue(judge(samples, facts, KNOWN_MS_MAX))
}

test('Ready is untrue ten seconds after the table stopped, and while no broker answers', () => {
  const wrong = 'ready while no topic progressed: 14 samples, 16.0 s to 29.0 s after the first'
  assert.deepEqual(wrongOf(READY, seen(STOPS, GROWS)), [wrong])
  const silent = seen(STOPS, (second) => (second > 5 ? undefined : GROWS(second)))
  assert.deepEqual(wrongOf(READY, silent), [wrong])
})

test('Ready is true for a table that grows, lacks nothing, or has ten seconds to begin after a fault', () => {
  assert.deepEqual(wrongOf(READY, seen(GROWS, GROWS)), [])
  assert.deepEqual(wrongOf(READY, seen(STOPS, STOPS)), [])
  const back = sampled((second) => (second > 10 && second < 22 ? 503 : 200))
  assert.deepEqual(wrongOf(back, seen(STOPS, GROWS)), [])
})

test('Not ready is untrue ten seconds after the table grows, and true while it does not', () => {
  assert.equal(wrongOf(UNAVAILABLE, seen(GROWS, GROWS)).length, 1)
  assert.deepEqual(wrongOf(UNAVAILABLE, seen(STOPS, GROWS)), [])
})

test('A word in between does not hide what is untrue; a paused topic is not judged', () => {
  const flapping = sampled((second) => (second % 5 === 4 ? 503 : 200))
  assert.equal(wrongOf(flapping, seen(STOPS, GROWS)).length, 1)
  const paused = sampled(() => 200, 'paused')
  assert.deepEqual(wrongOf(paused, seen(STOPS, GROWS)), [])
})
