import type { Health } from './health.ts'
import { lagOf, totalLag } from './progress.ts'
import type { TopicRun } from './topic.ts'

/** How each topic of the process stands, as JSON: offsets and versions are numbers, or their digits beyond 2^53. */
export function statusOf(health: Health, nowMs: number): object {
  return {
    ready: health.isReady,
    topics: Object.fromEntries(health.topics.map((topic) => [topic.name, topicStatus(topic, health, nowMs)])),
  }
}

function topicStatus(topic: TopicRun, health: Health, nowMs: number): object {
  const { counts, commits, files, bytes, version } = topic.summary()
  const { last, movedAtMs } = health.progress(topic.topic)
  const partitions = topic.status()
  return {
    topic: topic.topic,
    state: health.stateOf(topic),
    lag: numberOf(totalLag(partitions)),
    freshnessMs: last === undefined ? null : nowMs - last.newestMs,
    movedMsAgo: nowMs - movedAtMs,
    buffered: topic.buffered(),
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
    partitions: partitions.map((partition) => ({
      partition: partition.partition,
      live: partition.live,
      next: numberOf(partition.next),
      txn: partition.committed === undefined ? null : numberOf(partition.committed),
      end: numberOf(partition.end),
      lag: numberOf(lagOf(partition)),
    })),
  }
}

function numberOf(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
