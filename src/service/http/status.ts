import type { BudgetStanding } from '../metrics/process-metrics.ts'
import { serverOf, topicOf } from '../health/components.ts'
import type { Health } from '../health/health.ts'
import type { Progress } from '../health/progress.ts'
import type { TopicRun } from '../topic/topic.ts'

/**
 * How each topic of the process stands, as JSON: offsets and versions are numbers, or their digits beyond 2^53. The brokers
 * are asked for the offsets of the group, for three seconds at most.
 */
export async function statusOf(
  health: Health,
  budget: BudgetStanding | undefined,
  nowMs: number,
): Promise<object> {
  const topics = await Promise.all(
    health.topics.map(async (topic) => [topic.name, await topicStatus(topic, health, nowMs)] as const),
  )
  return {
    ready: health.isReady,
    readiness: health.readiness,
    budget: budget === undefined ? null : { bytes: budget.taken, bytesMax: budget.bytesMax },
    circuits: health.circuits.map((circuit) => ({
      kind: circuit.kind,
      name: circuit.name,
      ...serverOf(circuit),
    })),
    topics: Object.fromEntries(topics),
  }
}

async function topicStatus(topic: TopicRun, health: Health, nowMs: number): Promise<object> {
  const inGroup = await topic.groupOffsets()
  const { counts, commits, files, bytes, version } = topic.summary()
  const progress = health.progress(topic.topic)
  const { last, movedAtMs } = progress
  const partitions = topic.status()
  return {
    topic: topic.topic,
    ...topicOf(topic, health),
    restarts: topic.restarts(),
    rate: progress.rate(),
    lag: numberOf(progress.totalLag(partitions)),
    lagMs: progress.longestLagMs(partitions) ?? null,
    freshnessMs: last === undefined ? null : nowMs - last.newestMs,
    movedMsAgo: nowMs - movedAtMs,
    buffered: topic.buffered(),
    standing: topic.standing(),
    counts,
    commits,
    files,
    bytes,
    tableVersion: version === undefined ? null : numberOf(version),
    lastCommit:
      last === undefined
        ? null
        : {
            version: numberOf(last.version),
            at: new Date(last.atMs).toISOString(),
            durationMs: last.durationMs,
            attempts: last.attempts,
          },
    lastFlush: lastFlushOf(progress),
    partitions: partitions.map((partition) => ({
      partition: partition.partition,
      live: partition.live,
      next: numberOf(partition.next),
      txn: partition.committed === undefined ? null : numberOf(partition.committed),
      group: offsetOf(inGroup.get(partition.partition)),
      end: numberOf(partition.end),
      lag: numberOf(progress.lag(partition)),
      lagMs: progress.lagMs(partition) ?? null,
    })),
  }
}

/** Where the time of the last flush went, in milliseconds to the tenth. */
function lastFlushOf({ lastFlush }: Progress): object | null {
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
