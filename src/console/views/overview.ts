import type { Health } from '../../service/health/health.ts'
import { listedTopicOf, type TopicCondition } from '../../service/health/condition.ts'
import type { TopicRun } from '../../service/topic/topic-run.ts'
import { bottleneckOf } from '../history/stage-times.ts'
import { SAMPLES_MAX, SAMPLE_EVERY_MS, type TopicHistory } from '../history/topic-history.ts'
import type { StageView, TopicOverview } from '../snapshot.ts'
import { isWell } from './headline.ts'
import { trendOf } from './trend.ts'

/** Shortest window that a trend of a topic looks at. */
const TREND_MS_MIN = 120_000
/** The window is at least this many times the age at which a flush ends, so that it has commits in both halves. */
const TREND_FLUSHES = 2.5
/** Topics up to which each sample of a series is shown; of more, every fifth. */
const FULL_SERIES_MAX = 20
const STRIDE = 5

/** Holds a topic with what is known of it at one moment. */
export interface ObservedTopic {
  readonly run: TopicRun
  readonly condition: TopicCondition
  readonly history: TopicHistory
  /** Records that the table lacks; undefined while unknown. */
  readonly lag: bigint | undefined
}

/** Returns how the stages of a topic spent the last minute, in the order of the pipeline. */
export function stagesOf({ run, history }: ObservedTopic, nowMs: number): readonly StageView[] {
  return history.stages.views(run.status.inFlight().flushes, nowMs)
}

/** Returns the number of samples that a trend looks at, given their interval and the topic's age of a flush. */
export function trendSamplesOf(everyMs: number, flushAgeMs: number): number {
  const windowMs = Math.min(SAMPLES_MAX * SAMPLE_EVERY_MS, Math.max(TREND_MS_MIN, TREND_FLUSHES * flushAgeMs))
  return Math.ceil(windowMs / everyMs)
}

/** Returns a topic as one of the list of all; `topics` is their number, which decides how detailed its series are. */
export function overviewOf(topic: ObservedTopic, health: Health, topics: number): TopicOverview {
  const { run, condition, history, lag } = topic
  const progress = health.progressOf(run.name)
  const { state, reason, next, code } = listedTopicOf(run.topic, condition)
  const rate = progress.rate()
  const buffered = run.status.buffered()
  const stride = topics > FULL_SERIES_MAX ? STRIDE : 1
  return {
    ...{ name: run.name, topic: run.topic, table: health.hide(run.config.table.uri), state },
    ...{ isHealthy: isWell(condition), sinceMs: condition.sinceMs },
    ...{ reason: reason ?? null, next: next ?? null, code: code ?? null },
    freshnessMs: progress.freshnessMs ?? null,
    lag: lag === undefined ? null : Number(lag),
    lagMs: progress.longestLagMs(run.status.partitions()) ?? null,
    ...trendOf(history.lag.newest(trendSamplesOf(SAMPLE_EVERY_MS, run.config.flush.ageMs)), SAMPLE_EVERY_MS),
    ...{ recordsPerS: tenths(rate.records), bytesPerS: Math.round(rate.bytes) },
    ...{ heldBytes: buffered.bytes, heldBytesMax: buffered.bytesMax },
    bottleneck: bottleneckOf(stagesOf(topic, condition.nowMs)),
    ...{ lagSeries: history.lag.series(stride), freshnessSeries: history.freshness.series(stride) },
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
