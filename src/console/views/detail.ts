import type { Health } from '../../service/health/health.ts'
import type { PartitionStatus } from '../../kafka/source/source-options.ts'
import type { CountedLetters } from '../history/letter-groups.ts'
import type { EndedFlush } from '../history/topic-history.ts'
import type {
  DeadLetterGroup,
  FlushView,
  MemberView,
  PartitionView,
  TableHealth,
  TopicDetail,
} from '../snapshot.ts'
import { replayCommandOf } from './replay-command.ts'
import { stagesOf, trendSamplesOf, type ObservedTopic } from './overview.ts'
import { trendOf } from './trend.ts'

/** Partitions shown of a topic: those that lag most. */
const PARTITIONS_MAX = 500

/** Holds what the detail of a topic needs besides its history. */
export interface DetailContext {
  readonly health: Health
  readonly groupId: string
  /** Files of the configuration as the service got them. */
  readonly configFiles: readonly string[]
  /** Address of a trace in Jaeger with `{traceId}`; absent while unknown. */
  readonly traceUrl?: string | undefined
  readonly members: readonly MemberView[] | undefined
  readonly tableHealth: TableHealth | undefined
}

/** Returns everything about one topic. */
export function detailOf(topic: ObservedTopic, context: DetailContext): TopicDetail {
  const { run, history, condition } = topic
  const { health, groupId, members, tableHealth } = context
  return {
    ...{
      name: run.name,
      restarts: run.status.restarts,
      rows: history.rows,
      deadLetters: history.deadLetters,
    },
    ...partitionsOf(topic, health),
    stages: stagesOf(topic, condition.nowMs),
    commits: history.commits,
    deadLetterGroups: history.letters.list().map((group) => groupOf(group, run.name, context)),
    group: {
      ...{ groupId, assigned: history.assigned, members: members ?? null },
      events: history.events.map((event) => ({ ...event, text: health.hide(event.text) })),
    },
    tableHealth: tableHealth === undefined ? null : withOwnRuns(tableHealth, topic),
    flushes: history.flushes.map((flush) => flushOf(flush, context.traceUrl)),
    maintenance: history.maintenance,
  }
}

function partitionsOf(
  topic: ObservedTopic,
  health: Health,
): Pick<TopicDetail, 'partitions' | 'morePartitions'> {
  const progress = health.progressOf(topic.run.name)
  const all = topic.run.status.partitions() ?? []
  const lagOf = (partition: PartitionStatus): number => Number(progress.lag(partition) ?? -1n)
  const shown =
    all.length <= PARTITIONS_MAX ? all : [...all].sort((a, b) => lagOf(b) - lagOf(a)).slice(0, PARTITIONS_MAX)
  const partitions = [...shown]
    .sort((a, b) => a.partition - b.partition)
    .map((each) => partitionOf(each, topic, health))
  const more = all.length - shown.length
  return { partitions, ...(more === 0 ? {} : { morePartitions: more }) }
}

function partitionOf(
  status: PartitionStatus,
  { run, history }: ObservedTopic,
  health: Health,
): PartitionView {
  const progress = health.progressOf(run.name)
  const { partition, live, next, committed, end, obstacle } = status
  const lag = progress.lag(status)
  const { partitions } = history
  const samples = trendSamplesOf(partitions.everyMs, run.config.flush.ageMs)
  return {
    ...{ partition, next: live ? String(next) : null },
    ...{ txn: textOf(committed), end: textOf(end) },
    lag: lag === undefined ? null : Number(lag),
    lagMs: progress.lagMs(status) ?? null,
    ...trendOf(partitions.newest(partition).slice(-samples), partitions.everyMs),
    lagSeries: partitions.series(partition),
    unreadable: obstacle === undefined ? null : health.hide(obstacle.reason),
  }
}

function textOf(offset: bigint | undefined): string | null {
  return offset === undefined ? null : String(offset)
}

function groupOf(
  group: CountedLetters,
  name: string,
  { health, configFiles }: DetailContext,
): DeadLetterGroup {
  const { reason, cause, id, count, lastAtMs, sample } = group
  return {
    ...{ reason, cause: health.hide(cause), count, lastAtMs },
    sample: { ...sample, message: health.hide(sample.message) },
    replayCommand: replayCommandOf({ name, configFiles, group: id }),
  }
}

/** Returns the health of a table with the runs of this process, which are newer than the last look, or not in the log. */
function withOwnRuns(table: TableHealth, { history }: ObservedTopic): TableHealth {
  const newer = (a: number | null, b: number | undefined): number | null =>
    b === undefined || (a !== null && a > b) ? a : b
  return {
    ...table,
    lastOptimizeAtMs: newer(table.lastOptimizeAtMs, history.doneAtMs('optimize')),
    lastVacuumAtMs: newer(table.lastVacuumAtMs, history.doneAtMs('vacuum')),
  }
}

function flushOf(flush: EndedFlush, traceUrl: string | undefined): FlushView {
  const { traceId } = flush
  const url = traceId === null ? undefined : traceUrl?.replaceAll('{traceId}', traceId)
  return { ...flush, traceUrl: url ?? null }
}
