import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelineError } from '../../../../src/core/errors.ts'
import { EndRefresh } from '../../../../src/kafka/source/end/end-refresh.ts'
import type { Watermark } from '../../../../src/kafka/source/watermarks.ts'
import { NO_UUID } from '../../../../src/kafka/wire/schema.ts'
import { HeldClock } from '../../../support/flow/held-clock.ts'

const MARKS: ReadonlyMap<number, Watermark> = new Map([[0, { low: 0n, high: 5n }]])
const MISSING = new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist')
const ANOTHER = new PipelineError('KD_OFFSETS_VANISHED', 'the topic was deleted and created again')
const UNREACHABLE = new PipelineError('KD_KAFKA_UNREACHABLE', 'no response')

interface Refreshing {
  readonly clock: HeldClock
  readonly refresh: EndRefresh
  readonly reads: number[]
  readonly failures: unknown[]
  readonly warnings: string[]
  /** Errors of the next reads. */
  readonly errors: (Error | undefined)[]
}

function refreshing(): Refreshing {
  const clock = new HeldClock()
  const reads: number[] = []
  const failures: unknown[] = []
  const warnings: string[] = []
  const errors: (Error | undefined)[] = []
  const none = (): void => undefined
  const refresh = new EndRefresh({
    topic: 'orders',
    clock,
    read: () => {
      const error = errors.shift()
      return error === undefined ? Promise.resolve({ topicId: NO_UUID, marks: MARKS }) : Promise.reject(error)
    },
    onEnds: () => reads.push(clock.now()),
    onFailure: (error) => failures.push(error),
    log: { debug: none, info: none, error: none, warn: (_, message) => warnings.push(message) },
  })
  return { clock, refresh, reads, failures, warnings, errors }
}

test('end offsets are requested when no fetch has reported them for 15 seconds', async () => {
  const { clock, refresh, reads } = refreshing()
  await refresh.refreshIfDue()
  await refresh.refreshIfDue()
  await clock.advance(14_000)
  refresh.postpone()
  await clock.advance(14_000)
  await refresh.refreshIfDue()
  await clock.advance(1_000)
  await refresh.refreshIfDue()
  assert.deepEqual(reads, [0, 29_000])
})

test('a failure that may pass is a warning and is repeated after 15 seconds, not sooner', async () => {
  const { clock, refresh, reads, failures, warnings, errors } = refreshing()
  errors.push(UNREACHABLE, UNREACHABLE)
  for (let second = 0; second < 40; second++) {
    await refresh.refreshIfDue()
    await clock.advance(1_000)
  }
  assert.equal(warnings.length, 2)
  assert.match(warnings[0] ?? '', /requested again in 15 s/)
  assert.deepEqual([reads, failures], [[30_000], []])
})

test('a refusal fails at once, a topic that is missing or another one at its second time in a row', async () => {
  for (const error of [new PipelineError('KD_KAFKA_FORBIDDEN', 'no'), new TypeError('a programming error')]) {
    const { refresh, failures, errors } = refreshing()
    errors.push(error)
    await refresh.refreshIfDue()
    assert.deepEqual(failures, [error])
  }
  const { clock, refresh, failures, errors } = refreshing()
  errors.push(MISSING, undefined, MISSING, UNREACHABLE, MISSING)
  for (let check = 0; check < 5; check++) {
    await refresh.refreshIfDue()
    await clock.advance(15_000)
  }
  assert.deepEqual(failures, [])
  errors.push(ANOTHER)
  await refresh.refreshIfDue()
  assert.deepEqual(failures, [ANOTHER])
})

test('a topic that was not found is looked for again after four seconds', async () => {
  const { clock, refresh, failures, errors } = refreshing()
  errors.push(MISSING, MISSING)
  await refresh.refreshIfDue()
  await clock.advance(3_999)
  await refresh.refreshIfDue()
  assert.deepEqual(failures, [])
  await clock.advance(1)
  await refresh.refreshIfDue()
  assert.deepEqual(failures, [MISSING])
})

test('the wait for the next request ends at once when the group assigns nothing, and the request is due', async () => {
  const { refresh, reads } = refreshing()
  refresh.postpone()
  const waiting = refresh.wait(new AbortController().signal)
  refresh.expire()
  await waiting
  await refresh.refreshIfDue()
  assert.equal(reads.length, 1)
})
