import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import { NO_COUNTS } from '../../../src/core/batch.ts'
import type { PartitionStatus } from '../../../src/kafka/source/source-options.ts'
import { TopicProgress } from '../../../src/service/health/progress.ts'
import { rawBatch } from '../../support/flow/batches.ts'

const START_MS = 1_700_000_000_000

class Clock {
  nowMs = START_MS
  now = (): number => this.nowMs
  sleep = (): Promise<void> => Promise.resolve()
}

function started(): { readonly clock: Clock; readonly progress: TopicProgress } {
  const clock = new Clock()
  return { clock, progress: new TopicProgress(clock) }
}

function partitionOf(more: Partial<PartitionStatus>): PartitionStatus {
  return { partition: 0, live: true, next: 5n, committed: 4n, end: 10n, ...more }
}

function commit(
  progress: TopicProgress,
  newest: Pick<PipelineCommit, 'newestMs' | 'futureMs'>,
  ranges: PipelineCommit['ranges'] = [],
  partitions: readonly PartitionStatus[] = [],
): void {
  const outcome = { attempts: 1, conflicts: 0, ambiguous: 0, schemaChanged: false }
  const done = { id: 1, version: 1n, ranges, counts: NO_COUNTS, adds: [], ...outcome, ...newest }
  progress.onEvent({ kind: 'committed', commit: done, partitions })
}

test('Lag is unknown while the end in Kafka or the offset in the table is, never 0', () => {
  const { progress } = started()
  assert.equal(progress.lag(partitionOf({})), 5n)
  assert.equal(progress.lag(partitionOf({ committed: 9n })), 0n)
  assert.equal(progress.lag(partitionOf({ end: undefined })), undefined)
  assert.equal(progress.lag(partitionOf({ live: false, committed: undefined })), undefined)
  assert.equal(progress.lag(partitionOf({ live: false, next: 0n })), 5n, 'by the last look at the table')
  assert.equal(progress.lag(partitionOf({ live: false, committed: undefined, end: 0n })), 0n, 'it is empty')
  assert.equal(progress.lag(partitionOf({ committed: undefined })), 5n, 'by the start of reading')
})

test('The lag of a topic is unknown unless that of each partition is; some known lag is enough to be behind', () => {
  const { progress } = started()
  const [known, unknown] = [partitionOf({}), partitionOf({ partition: 1, end: undefined })]
  assert.equal(progress.totalLag([known, known]), 10n)
  assert.equal(progress.totalLag([known, unknown]), undefined)
  assert.equal(progress.totalLag([unknown, known]), undefined)
  assert.equal(progress.totalLag(undefined), undefined)
  assert.equal(progress.totalLag([]), 0n, 'other processes have the partitions')
  assert.deepEqual(
    [[known, unknown], [unknown], [], undefined].map((each) => progress.isBehind(each)),
    [true, false, false, false],
  )
  assert.equal(progress.longestLagMs([known, unknown]), undefined)
  assert.equal(progress.longestLagMs(undefined), undefined)
})

test('The age of what the table lacks grows from when the lag was found, while no timestamp is known', () => {
  const { clock, progress } = started()
  const at = partitionOf({})
  assert.equal(progress.lagMs(at), undefined)
  progress.follow([at])
  clock.nowMs += 1_000
  progress.follow([partitionOf({ end: 20n })])
  assert.equal(progress.lagMs(at), 1_000)
  progress.follow([partitionOf({ end: undefined })])
  progress.follow(undefined)
  clock.nowMs += 1_000
  assert.equal(progress.lagMs(partitionOf({ end: undefined })), undefined, 'unknown as the lag is')
  assert.equal(progress.lagMs(at), 2_000, 'an end that was unknown for a while takes nothing back')
  assert.equal(progress.longestLagMs([at, partitionOf({ partition: 1, committed: 9n })]), 2_000)
  progress.follow([partitionOf({ committed: 5n })])
  assert.equal(progress.lagMs(partitionOf({ committed: 5n })), 0, 'another record is the oldest now')
  progress.follow([partitionOf({ committed: 9n })])
  progress.follow([at])
  assert.equal(progress.lagMs(at), 60_000, 'it is younger than a minute before the time without lag')
})

test('After hours without records, the age of a new one is not that of the last one in the table', () => {
  const { clock, progress } = started()
  const caughtUp = partitionOf({ committed: 9n })
  progress.onEvent({ kind: 'read', raw: rawBatch(['{}'], { first: 9n, timestampMs: START_MS }).payload })
  const range = { topic: 't', partition: 0, follows: 8n, first: 9n, last: 9n }
  commit(progress, { newestMs: START_MS }, [range], [caughtUp])
  clock.nowMs += 7_200_000
  progress.follow([caughtUp])
  clock.nowMs += 5_000
  const grown = partitionOf({ committed: 9n, end: 11n })
  progress.follow([grown])
  assert.equal(progress.lagMs(grown), 65_000, 'the end in Kafka may have been a minute old')
  clock.nowMs += 60_000
  assert.equal(progress.lagMs(grown), 125_000)
})

test('A timestamp of a record counts rather than the time at which the lag was found, unless it is from the future', () => {
  const { clock, progress } = started()
  const at = partitionOf({ committed: undefined, next: 0n })
  progress.follow([at])
  clock.nowMs += 1_000
  const { payload } = rawBatch(['{}'], { first: 0n, follows: undefined })
  const read = (timestampMs: number): void =>
    progress.onEvent({ kind: 'read', raw: { ...payload, timestampsMs: Float64Array.of(timestampMs) } })
  read(START_MS + 86_400_000)
  assert.equal(progress.lagMs(at), 1_000)
  read(START_MS - 5_000)
  assert.equal(progress.lagMs(at), 6_000)
})

test('Freshness is unknown before a timestamp is committed, and a flush without timestamps does not change it', () => {
  const { clock, progress } = started()
  assert.equal(progress.freshnessMs, undefined)
  commit(progress, { newestMs: undefined })
  assert.equal(progress.freshnessMs, undefined)
  commit(progress, { newestMs: START_MS - 500 })
  clock.nowMs += 1_000
  commit(progress, { newestMs: undefined })
  assert.equal(progress.freshnessMs, 1_500)
})

test('No age is negative: neither for records slightly ahead nor after the clock is set back', () => {
  const { clock, progress } = started()
  commit(progress, { newestMs: START_MS + 500 })
  assert.equal(progress.freshnessMs, 0)
  clock.nowMs -= 60_000
  assert.deepEqual([progress.freshnessMs, progress.movedMsAgo], [0, 0])
})

test('Records from the future are reported for an hour', () => {
  const { clock, progress } = started()
  assert.equal(progress.futureMs, undefined)
  commit(progress, { newestMs: START_MS, futureMs: START_MS + 7_200_000 })
  commit(progress, { newestMs: START_MS })
  clock.nowMs += 3_600_000
  assert.equal(progress.futureMs, 7_200_000)
  clock.nowMs += 1
  assert.equal(progress.futureMs, undefined)
  assert.equal(progress.freshnessMs, 3_600_001, 'they do not make the table fresh')
})
