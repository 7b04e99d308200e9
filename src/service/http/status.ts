import type { BudgetUsage } from '../metrics/process-metrics.ts'
import { serverHealthOf, topicHealthOf } from '../health/components.ts'
import type { Health } from '../health/health.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { TopicProgress } from '../health/progress.ts'
import type { TopicRun } from '../topic/topic-run.ts'

/**
 * Returns the status of all topics as JSON. Offsets and versions are numbers, or decimal strings beyond 2^53. Waits
 * at most three seconds for the brokers to report the offsets of the group.
 */
export async function statusReportOf(health: Health, budget: BudgetUsage | undefined): Promise<object> {
  const topics = await Promise.all(
    health.topics.map(async (topic) => [topic.name, await topicStatus(topic, health)] as const),
  )
  return {
    ready: health.isReady,
    readiness: health.readiness,
    budget: budget === undefined ? null : { bytes: budget.taken, bytesMax: budget.bytesMax },
    circuits: health.circuits.map((circuit) => ({
      kind: circuit.kind,
      name: circuit.name,
      ...serverHealthOf(circuit),
    })),
    topics: Object.fromEntries(topics),
  }
}

async function topicStatus(topic: TopicRun, health: Health): Promise<object> {
  const inGroup = await topic.status.groupOffsets()
  const { counts, commits, files, bytes, version } = topic.status.summary
  const progress = health.progressOf(topic.name)
  const { lastCommit } = progress
  const partitions = topic.status.partitions()
  return {
    topic: topic.topic,
    topicId: topic.status.topicId ?? null,
    ...topicHealthOf(topic, health),
    restarts: topic.status.restarts,
    rate: progress.rate(),
    lag: offsetOf(progress.totalLag(partitions)),
    lagMs: progress.longestLagMs(partitions) ?? null,
    freshnessMs: progress.freshnessMs ?? null,
    futureMs: progress.futureMs ?? null,
    movedMsAgo: progress.movedMsAgo,
    buffered: topic.status.buffered(),
    standing: topic.status.inFlight(),
    counts,
    commits,
    files,
    bytes,
    tableVersion: version === undefined ? null : numberOf(version),
    lastCommit:
      lastCommit === undefined
        ? null
        : {
            version: numberOf(lastCommit.version),
            at: new Date(lastCommit.atMs).toISOString(),
            durationMs: lastCommit.durationMs,
            attempts: lastCommit.attempts,
          },
    lastFlush: lastFlushOf(progress),
    partitions: (partitions ?? []).map((partition) => ({
      partition: partition.partition,
      live: partition.live,
      next: partition.live ? numberOf(partition.next) : null,
      txn: offsetOf(partition.committed),
      group: offsetOf(inGroup.get(partition.partition)),
      end: offsetOf(partition.end),
      lag: offsetOf(progress.lag(partition)),
      lagMs: progress.lagMs(partition) ?? null,
      ...unreadableOf(partition, health),
    })),
  }
}

/** Returns why a partition cannot be read for now, if anything is known to prevent it. */
function unreadableOf({ obstacle }: PartitionStatus, health: Health): object {
  if (obstacle === undefined) return {}
  const { sinceMs, reason } = obstacle
  return { unreadable: { since: new Date(sinceMs).toISOString(), reason: health.hide(reason) } }
}

/** Returns the durations of the last flush by stage, in milliseconds with one decimal. */
function lastFlushOf({ lastFlush }: TopicProgress): object | null {
  if (lastFlush === undefined) return null
  const { stages, atMs, isCommitted } = lastFlush
  return {
    id: stages.id,
    at: new Date(atMs).toISOString(),
    outcome: isCommitted ? 'committed' : 'failed',
    totalMs: tenths(stages.totalMs),
    stages: Object.fromEntries(Object.entries(stages.ms).map(([stage, ms]) => [stage, tenths(ms)])),
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10
}

function offsetOf(offset: bigint | undefined): number | string | null {
  return offset === undefined ? null : numberOf(offset)
}

function numberOf(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
