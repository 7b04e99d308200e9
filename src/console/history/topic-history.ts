import { trace } from '@opentelemetry/api'
import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { FlushTrace } from '../../core/flush-trace.ts'
import { flushNameOf } from '../../core/stage/flush-scope.ts'
import { ENGINE_INFO } from '../../delta/protocol/engine.ts'
import type { TopicProgress } from '../../service/health/progress.ts'
import type { TopicEvent } from '../../service/topic/events.ts'
import type { TopicStatus } from '../../service/topic/status.ts'
import type { CommitView, FlushView, MaintenanceView } from '../snapshot.ts'
import { timelineEventOf, type TimelineEvent } from './group-events.ts'
import { LetterGroups } from './letter-groups.ts'
import { Newest } from './newest.ts'
import { PartitionLags, type PartitionAllowance } from './partition-lags.ts'
import { SeriesRing } from './series-ring.ts'
import { StageTimes } from './stage-times.ts'

/** Interval of the samples, in milliseconds. */
export const SAMPLE_EVERY_MS = 2_000
/** Samples of a series: ten minutes. */
export const SAMPLES_MAX = 300
const COMMITS_MAX = 50
const FLUSHES_MAX = 20
const EVENTS_MAX = 50
const MAINTENANCE_MAX = 20
/** Characters of a text of the time line. */
const TEXT_CHARACTERS_MAX = 300
/** Stages of a flush that are kept. */
const STAGES_MAX = 40

/** Holds a flush that has ended; its address in Jaeger depends on the configuration. */
export type EndedFlush = Omit<FlushView, 'traceUrl'>

/** Remembers the last ten minutes of a topic, and the last of its commits, flushes and events, each up to a maximum. */
export class TopicHistory {
  readonly lag = new SeriesRing(SAMPLE_EVERY_MS, SAMPLES_MAX)
  readonly freshness = new SeriesRing(SAMPLE_EVERY_MS, SAMPLES_MAX)
  readonly partitions: PartitionLags
  readonly letters = new LetterGroups()
  readonly stages: StageTimes
  readonly #commits = new Newest<CommitView>(COMMITS_MAX)
  readonly #flushes = new Newest<EndedFlush>(FLUSHES_MAX)
  readonly #events = new Newest<TimelineEvent & { readonly atMs: number }>(EVENTS_MAX)
  readonly #maintenance = new Newest<MaintenanceView>(MAINTENANCE_MAX)
  readonly #durations = new Newest<{ readonly id: number; readonly ms: number }>(FLUSHES_MAX)
  readonly #doneAtMs: Record<string, number> = {}
  #assigned: readonly number[] | null = null
  #rows = 0
  #deadLetters = 0

  constructor(allowance: PartitionAllowance, nowMs: number) {
    this.partitions = new PartitionLags(allowance)
    this.stages = new StageTimes(nowMs)
  }

  /** Commits of this process, newest first. */
  get commits(): readonly CommitView[] {
    return this.#commits.list()
  }

  /** Flushes that have ended, newest first. */
  get flushes(): readonly EndedFlush[] {
    return this.#flushes.list()
  }

  /** Changes of the group and of the topic's run, newest first. */
  get events(): readonly (TimelineEvent & { readonly atMs: number })[] {
    return this.#events.list()
  }

  /** Runs of maintenance and checkpoints, newest first. */
  get maintenance(): readonly MaintenanceView[] {
    return this.#maintenance.list()
  }

  /** Partitions that the group last assigned, ascending; null before the first assignment. */
  get assigned(): readonly number[] | null {
    return this.#assigned
  }

  /** Rows committed since the start of the process. */
  get rows(): number {
    return this.#rows
  }

  /** Dead letters written since the start of the process. */
  get deadLetters(): number {
    return this.#deadLetters
  }

  /** Returns when a task of maintenance was last done in this process. */
  doneAtMs(task: string): number | undefined {
    return this.#doneAtMs[task]
  }

  /** Follows an event of the topic. */
  onEvent(event: TopicEvent, nowMs: number): void {
    this.stages.onEvent(event, nowMs)
    const entry = timelineEventOf(event)
    if (entry !== undefined)
      this.#events.add({ atMs: nowMs, kind: entry.kind, text: entry.text.slice(0, TEXT_CHARACTERS_MAX) })
    if (event.kind === 'flush-ended') this.#noteFlush(event, nowMs)
    else if (event.kind === 'committed') this.#noteCommit(event.commit, nowMs)
    else if (event.kind === 'maintained') {
      const { task, outcome, ms } = event.run
      if (outcome === 'done') this.#doneAtMs[task] = nowMs
      this.#maintenance.add({ task, outcome, atMs: nowMs, durationMs: ms })
    } else if (event.kind === 'checkpointed') {
      const { outcome, durationMs } = event
      this.#maintenance.add({ task: 'checkpoint', outcome, atMs: nowMs, durationMs })
    } else if (event.kind === 'source' && event.event.kind === 'assigned')
      this.#assigned = event.event.partitions
  }

  /** Notes lag, freshness and what the stages do; called every two seconds. */
  sample(status: TopicStatus, progress: TopicProgress, nowMs: number): void {
    const partitions = status.partitions()
    const lag = progress.totalLag(partitions)
    this.lag.add(lag === undefined ? undefined : Number(lag), nowMs)
    this.freshness.add(progress.freshnessMs, nowMs)
    if (partitions !== undefined && this.partitions.isDue(nowMs))
      this.partitions.add(
        partitions.map((each) => [each.partition, progress.lag(each)] as const),
        nowMs,
      )
    const hasUnread = partitions?.some(({ live, next, end = 0n }) => live && end > next) ?? false
    this.stages.sample({ hasUnread, waiting: status.inFlight().waiting }, nowMs)
  }

  #noteFlush(event: Extract<TopicEvent, { kind: 'flush-ended' }>, nowMs: number): void {
    const { flush, stages, error, durationMs, trace: flushTrace } = event
    this.#flushes.add({
      id: flush.id,
      name: nameOf(flush),
      startedAtMs: Math.round(stages.startedAtMs),
      totalMs: Math.round(stages.totalMs),
      outcome: error === undefined ? 'committed' : 'failed',
      records: flush.counts.records,
      bytes: flush.bytes,
      stages: Object.entries(stages.ms)
        .slice(0, STAGES_MAX)
        .map(([stage, ms]) => ({ stage, ms: Math.round(ms * 10) / 10 })),
      traceId: traceIdOf(flushTrace),
    })
    this.#durations.add({ id: flush.id, ms: Math.round(durationMs) })
    if (error === undefined) this.letters.add(flush.deadLetters, nowMs)
  }

  #noteCommit(commit: PipelineCommit, nowMs: number): void {
    const { id, counts, adds, attempts, conflicts, schemaChanged } = commit
    this.#rows += counts.rows
    this.#deadLetters += counts.deadLetters
    this.#commits.add({
      ...{ version: String(commit.version), atMs: nowMs, rows: counts.rows, deadLetters: counts.deadLetters },
      ...{ files: adds.length, bytes: adds.reduce((sum, { size }) => sum + size, 0) },
      ...{ attempts, conflicts, schemaChanged },
      durationMs: this.#durations.list().find((each) => each.id === id)?.ms ?? 0,
      by: `STREAMING UPDATE by ${ENGINE_INFO}`,
    })
  }
}

/** Returns the name of a flush in the log; that of an empty one is empty. */
function nameOf({ provenances: [first] }: FormedFlush): string {
  return first === undefined ? '' : flushNameOf(first)
}

function traceIdOf(flush: FlushTrace | undefined): string | null {
  const span = flush === undefined ? undefined : trace.getSpanContext(flush.context)
  return span?.traceId ?? null
}
