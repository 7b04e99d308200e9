import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subject } from 'rxjs'
import type { Health } from '../../../src/service/health/health.ts'
import { registerProcessMetrics } from '../../../src/service/metrics/process-metrics.ts'
import { createEventLog } from '../../../src/service/topic/event-log.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'
import { TopicStatus } from '../../../src/service/topic/status.ts'
import type { TopicPipeline } from '../../../src/service/topic/topic-pipeline.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import type { ObserveMetric } from '../../../src/telemetry/metrics/observed-metrics.ts'

const unmatched = (path: string): TopicEvent => ({
  kind: 'path-unmatched',
  option: 'drop',
  path,
  message: `drop "${path}" matched no field`,
})

test('Paths that match no field are counted until they match or the topic starts again, and logged', () => {
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    pretty: false,
    destination: { write: (line) => lines.push(line) },
  })
  const events = new Subject<TopicEvent>()
  const status = new TopicStatus({ creditBytes: 1 }, events, () => undefined)
  events.subscribe(createEventLog(log))

  events.next(unmatched('a.b'))
  events.next(unmatched('c'))
  assert.equal(status.unmatchedPaths, 2)
  events.next({ kind: 'path-matched', option: 'drop', path: 'c' })
  assert.equal(status.unmatchedPaths, 1)
  assert.equal(metricOf(status), 1)
  events.next({ kind: 'phase', phase: 'opening', failure: undefined })
  assert.equal(status.unmatchedPaths, 0)

  const logged = lines.map((line) => JSON.parse(line) as { readonly path: string; readonly msg: string })
  assert.deepEqual(
    logged.map(({ path, msg }) => [path, msg]),
    [
      ['a.b', 'drop "a.b" matched no field'],
      ['c', 'drop "c" matched no field'],
      ['c', 'The path matches a field after all'],
    ],
  )
})

/** Returns the value of the metric of unmatched paths for a topic of this status. */
function metricOf(status: TopicStatus): number | undefined {
  const health = { topics: [{ name: 'orders', topic: 'orders', status }] } as unknown as Health
  let found: number | undefined
  const observe: ObserveMetric = (name, read) => {
    if (name === 'kafka_delta.unmatched.paths') read((value) => (found = value))
  }
  registerProcessMetrics(observe, health, () => undefined)
  return found
}

test('The id of the topic is that of the last source, and unknown where brokers report none', () => {
  const events = new Subject<TopicEvent>()
  const status = new TopicStatus({ creditBytes: 1 }, events, () => undefined)
  const identify = (topicId: string | undefined): void =>
    events.next({ kind: 'source', event: { kind: 'topic-identified', topicId } })
  assert.equal(status.topicId, undefined)
  identify('GMrBMR1_TDWfjmSJ6YPr3g')
  assert.equal(status.topicId, 'GMrBMR1_TDWfjmSJ6YPr3g')
  identify(undefined)
  assert.equal(status.topicId, undefined)
})

test('A topic joins from the start of each run until its consumer has partitions, or has joined without any', () => {
  const events = new Subject<TopicEvent>()
  const status = new TopicStatus({ creditBytes: 1 }, events, () => undefined)
  assert.equal(status.isJoining, false)
  for (const partitions of [[0], []]) {
    events.next({ kind: 'phase', phase: 'opening', failure: undefined })
    events.next({ kind: 'phase', phase: 'running', failure: undefined })
    events.next({ kind: 'source', event: { kind: 'brokers-answer' } })
    events.next({ kind: 'source', event: { kind: 'rebalancing' } })
    assert.equal(status.isJoining, true)
    events.next({ kind: 'source', event: { kind: 'assigned', partitions } })
    assert.equal(status.isJoining, false)
  }
})

test('A partition that cannot be read says why, as long as its source runs', () => {
  const events = new Subject<TopicEvent>()
  const obstacle = { sinceMs: 5, reason: 'broker 2 at b:9092 does not answer' }
  const position = { live: true, next: 7n, committed: 6n, end: 9n }
  const pipeline = {
    source: {
      status: () => [
        { partition: 0, ...position, obstacle },
        { partition: 1, ...position },
      ],
    },
    storedOffset: () => undefined,
  } as unknown as TopicPipeline
  const status = new TopicStatus({ creditBytes: 1 }, events, () => pipeline)
  const told = (): unknown => status.partitions()?.map((each) => each.obstacle)
  events.next({ kind: 'phase', phase: 'running', failure: undefined })
  assert.deepEqual(told(), [obstacle, undefined])
  events.next({ kind: 'phase', phase: 'failed', failure: undefined })
  assert.deepEqual(told(), [undefined, undefined])
})
