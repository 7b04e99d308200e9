import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { IngestMetrics } from '../../../src/service/metrics/ingest-metrics.ts'
import type { StatsdType } from '../../../src/telemetry/metrics/statsd.ts'
import { rawBatch } from '../../support/flow/batches.ts'

function metrics(): { readonly sent: string[]; readonly metrics: IngestMetrics } {
  const sent: string[] = []
  const send = (name: string, type: StatsdType, value: number): void => {
    sent.push(`${name}:${value}|${type}`)
  }
  return { sent, metrics: new IngestMetrics({ send, close: () => Promise.resolve() }) }
}

const letter = (reason: DeadLetter['reason']): DeadLetter => ({
  reason,
  message: '',
  topic: 't',
  partition: 0,
  offset: 0n,
  timestampMs: 0,
  key: undefined,
  value: undefined,
})
const FACTS = {
  id: 1,
  provenances: [],
  counts: { records: 10, rows: 6, deadLetters: 3, tombstones: 1, filtered: 0 },
  bytes: 1,
  deadLetters: [letter('decode'), letter('transform'), letter('type')],
}
const STAGES = { id: 1, startedAtMs: 0, totalMs: 0, ms: {} }
const COMMIT: PipelineCommit = {
  id: 1,
  version: 1n,
  ranges: [{ topic: 't', partition: 0, follows: undefined, first: 0n, last: 9n }],
  counts: FACTS.counts,
  adds: [{ path: 'a', partitionValues: {}, size: 77, modificationTime: 0, dataChange: true }],
  attempts: 1,
  conflicts: 0,
  ambiguous: 0,
  schemaChanged: false,
  newestMs: 0,
}
const STATUS = [
  { partition: 0, live: true, next: 12n, committed: 9n, end: 15n },
  { partition: 1, live: true, next: 4n, committed: 3n, end: 4n },
]

test('A flush is reported as counters, durations and lags under the names of kafka-delta-ingest', () => {
  const { sent, metrics: ingest } = metrics()
  ingest.onEvent({ kind: 'flush-formed', flush: FACTS })
  ingest.onEvent({ kind: 'flush-ended', flush: FACTS, durationMs: 5, stages: STAGES })
  ingest.onEvent({ kind: 'committed', commit: COMMIT, partitions: STATUS })
  ingest.sendLag(STATUS)
  assert.deepEqual(sent, [
    'messages.deserialization.completed:8|c',
    'messages.deserialization.failed:1|c',
    'messages.transform.completed:7|c',
    'messages.transform.failed:1|c',
    'recordbatch.started:1|c',
    'delta.write.started:1|c',
    'recordbatch.completed:1|c',
    'recordbatch.write_duration:5|ms',
    'delta.write.completed:1|c',
    'delta.write.duration:5|ms',
    'delta.add.size:77|g',
    'buffered.record_batches:0|g',
    'delta.write.lag.num_partitions:1|g',
    'delta.write.lag.total:5|g',
    'delta.write.lag.max:5|g',
    'delta.write.lag.min:5|g',
    'buffer.lag.num_partitions:2|g',
    'buffer.lag.total:3|g',
    'buffer.lag.max:3|g',
    'buffer.lag.min:0|g',
  ])
})

test('No lag is sent while that of a partition is unknown, since 0 and the sum of the others would be wrong', () => {
  const { sent, metrics: ingest } = metrics()
  const [first, second] = STATUS
  assert.ok(first !== undefined && second !== undefined)
  const unknown = [{ ...first, end: undefined }, second]
  ingest.sendLag(undefined)
  ingest.sendLag(unknown)
  ingest.sendLag([{ ...first, live: false }, second])
  ingest.onEvent({ kind: 'committed', commit: COMMIT, partitions: unknown })
  assert.deepEqual(sent, ['delta.add.size:77|g', 'buffered.record_batches:0|g'])
})

test('A flush of a failing topic counts as a failed write', () => {
  const { sent, metrics: ingest } = metrics()
  const error = new Error('no store')
  ingest.onEvent({ kind: 'flush-ended', flush: FACTS, durationMs: 5, stages: STAGES, error })
  assert.equal(sent.at(-1), 'delta.write.failed:1|c')
})

test('The mean message size is reported with each batch', () => {
  const { sent, metrics: ingest } = metrics()
  ingest.onEvent({ kind: 'read', raw: rawBatch(['{}', '{"a":1}']).payload })
  assert.deepEqual(sent, ['messages.size:4.5|g'])
})
