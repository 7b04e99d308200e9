import type { CreditWait } from '../../core/credit/credit.ts'
import type { TopicEvent } from '../../service/topic/events.ts'
import type { InFlightFlush } from '../../service/topic/state.ts'
import type { StageView } from '../snapshot.ts'
import { SLOT_MS, TimeSlots } from './time-slots.ts'

const MINUTE_MS = 60_000
/** Time after which batches of the last flush no longer count as the present: the topic is idle, or buffers for long. */
const FORMED_AGE_MS_MAX = 120_000
/** Stages of a topic that are told apart; a topic with more custom operators shows the first. */
const STAGES_MAX = 40

/** Stages of a flush behind the buffer, in the order of the pipeline. */
const FLUSH_STAGES = ['toArrow', 'writeParquet', 'deadLetters', 'commitDelta', 'commitOffsets']
/** Stages of a flush that begin once the flush before is committed. */
const COMMIT_STAGES = ['deadLetters', 'commitDelta', 'commitOffsets']
const POLL = 'poll'
const BUFFER = 'buffer'
const WAIT = 'wait'

interface Station {
  readonly busy: TimeSlots
  readonly held: TimeSlots
}

/** Describes what the topic does at a moment. */
export interface StageMoment {
  /** True when Kafka has records of its partitions that were not read. */
  readonly hasUnread: boolean
  /** A batch that waits for credit. */
  readonly waiting?: CreditWait | undefined
}

/**
 * Follows how the stages of a topic spend their time, by its events.
 *
 * - A stage before the buffer is busy while it processes a batch. Its times are known when a flush is formed, so that they are
 *   those of the minute before the last flush was formed.
 * - A stage behind the buffer is busy while it processes a flush, including the one that it has not finished.
 * - `poll` is busy while a fetch is under way, other stages do not use the thread, and Kafka is known to have unread records: a
 *   fetch that waits for a producer is idle. It is held while a batch waits for credit, except by a pause.
 * - A flush waits while the one before it is written or committed. That time holds the stage that finished it: the buffer if
 *   the flush before spends most of its time up to the upload, `writeParquet` if it spends most in the commit.
 * - The buffer is never busy: it waits for records.
 */
export class StageTimes {
  readonly #stations = new Map<string, Station>()
  readonly #unread = new TimeSlots()
  readonly #startedAtMs: number
  /** Stages of batches in the order of the last flush. */
  #batchStages: readonly string[] = []
  #formedAtMs = -Infinity
  #sampledAtMs: number
  #waitingSinceMs: number | undefined
  #heldUntilMs = -Infinity
  #resumedAtMs = -Infinity
  /** Stage that finished a flush which waits for the one before it. */
  #holder = BUFFER

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs
    this.#sampledAtMs = nowMs
  }

  /** Follows an event of the topic. */
  onEvent(event: TopicEvent, nowMs: number): void {
    if (event.kind === 'flush-formed') this.#noteBatches(event, nowMs)
    else if (event.kind === 'flush-ended') this.#noteFlush(event, nowMs)
    else if (event.kind === 'paused' || event.kind === 'resumed') this.#resumedAtMs = nowMs
    else if (event.kind === 'source' && event.event.kind === 'credit-waited')
      this.#hold(nowMs - event.event.waitedMs, nowMs)
  }

  /** Notes what the topic does at a moment; called every few seconds. */
  sample({ hasUnread, waiting }: StageMoment, nowMs: number): void {
    if (hasUnread) this.#unread.add(Math.max(this.#sampledAtMs, nowMs - SLOT_MS), nowMs)
    this.#sampledAtMs = nowMs
    if (waiting === undefined || waiting.reason === 'paused') this.#waitingSinceMs = undefined
    else this.#waitingSinceMs ??= nowMs
  }

  /** Returns the shares of all stages, in the order of the pipeline; `flushes` are those in flight, oldest first. */
  views(flushes: readonly InFlightFlush[], nowMs: number): readonly StageView[] {
    const current = this.#window(nowMs)
    const formed = nowMs - this.#formedAtMs <= FORMED_AGE_MS_MAX ? this.#formedAtMs : nowMs
    const before = this.#window(formed)
    const batch = this.#batchStages.map((stage) => this.#view(stage, before))
    const busy = batch.reduce((sum, each) => sum + each.busy, 0)
    const poll = this.#pollView(before, current, busy, nowMs)
    const behind = FLUSH_STAGES.map((stage) => this.#view(stage, current, flushes))
    const buffer = this.#view(BUFFER, current, flushes)
    return [poll, ...batch, buffer, ...behind].map(withIdle)
  }

  #noteBatches({ flush }: Extract<TopicEvent, { kind: 'flush-formed' }>, nowMs: number): void {
    const order = new Set<string>()
    for (const { timings } of flush.provenances)
      for (const { stage, startMs, endMs } of timings) {
        if (stage === BUFFER) continue
        if (stage !== POLL) order.add(stage)
        this.#station(stage)?.busy.add(startMs, endMs)
      }
    this.#batchStages = [...order].slice(0, STAGES_MAX)
    this.#formedAtMs = nowMs
  }

  #noteFlush({ stages, durationMs }: Extract<TopicEvent, { kind: 'flush-ended' }>, nowMs: number): void {
    let endMs = nowMs
    const own = Object.entries(stages.ms).filter(([stage]) => FLUSH_STAGES.includes(stage))
    for (const [stage, ms] of own.sort((a, b) => orderOf(b) - orderOf(a))) {
      this.#station(stage)?.busy.add(endMs - ms, endMs)
      endMs -= ms
    }
    this.#station(this.#holder)?.held.add(nowMs - durationMs, endMs)
    const [longest] = own.sort(([, a], [, b]) => b - a)
    if (longest !== undefined) this.#holder = holderBefore(longest[0])
  }

  /** Notes that a batch waited; intervals of several partitions count once, and those of a pause do not. */
  #hold(startMs: number, endMs: number): void {
    this.#waitingSinceMs = undefined
    this.#station(POLL)?.held.add(Math.max(startMs, this.#heldUntilMs, this.#resumedAtMs), endMs)
    this.#heldUntilMs = endMs
  }

  #pollView(before: Window, current: Window, busyOfOthers: number, nowMs: number): Shares {
    const { busy, held } = this.#stations.get(POLL) ?? { busy: undefined, held: undefined }
    const waited = this.#waitingSinceMs === undefined ? 0 : nowMs - this.#waitingSinceMs
    const unread = shareOf(this.#unread.sum(current.fromMs, current.toMs), current)
    return {
      stage: POLL,
      busy: Math.min(
        shareOf(busy?.sum(before.fromMs, before.toMs) ?? 0, before),
        Math.max(0, 1 - busyOfOthers),
        unread,
      ),
      held: shareOf((held?.sum(current.fromMs, current.toMs) ?? 0) + waited, current),
    }
  }

  #view(stage: string, window: Window, flushes: readonly InFlightFlush[] = []): Shares {
    const station = this.#stations.get(stage)
    const { fromMs, toMs } = window
    const present = flushes.find((flush) => flush.stage === stage)
    const [first] = flushes
    const waiting = flushes.find((flush, at) => at > 0 && flush.stage === WAIT)
    const isHolder = waiting !== undefined && first !== undefined && holderBefore(first.stage) === stage
    const since = (flush: InFlightFlush | undefined): number =>
      flush === undefined ? 0 : Math.max(0, toMs - Math.max(flush.sinceMs, fromMs))
    return {
      stage,
      busy: shareOf((station?.busy.sum(fromMs, toMs) ?? 0) + since(present), window),
      held: shareOf((station?.held.sum(fromMs, toMs) ?? 0) + (isHolder ? since(waiting) : 0), window),
    }
  }

  /** Returns the last minute before a time in whole slots, or since the start. */
  #window(toMs: number): Window {
    const fromMs = Math.max(this.#startedAtMs, (Math.floor((toMs - MINUTE_MS) / SLOT_MS) + 1) * SLOT_MS)
    return { fromMs, toMs: Math.max(toMs, fromMs + 1) }
  }

  #station(stage: string): Station | undefined {
    const known = this.#stations.get(stage)
    if (known !== undefined || this.#stations.size >= STAGES_MAX) return known
    const added = { busy: new TimeSlots(), held: new TimeSlots() }
    this.#stations.set(stage, added)
    return added
  }
}

interface Window {
  readonly fromMs: number
  readonly toMs: number
}

type Shares = Omit<StageView, 'idle'>

function shareOf(ms: number, { fromMs, toMs }: Window): number {
  return Math.min(1, ms / (toMs - fromMs))
}

function withIdle({ stage, busy, held }: Shares): StageView {
  const isHeld = Math.min(held, 1 - busy)
  return { stage, busy: rounded(busy), held: rounded(isHeld), idle: rounded(1 - busy - isHeld) }
}

function rounded(share: number): number {
  return Math.round(share * 1_000) / 1_000
}

function orderOf([stage]: readonly [string, number]): number {
  return FLUSH_STAGES.indexOf(stage)
}

/** Returns the stage that has finished a flush which waits for another one in `stage`. */
function holderBefore(stage: string): string {
  return COMMIT_STAGES.includes(stage) ? 'writeParquet' : BUFFER
}

/** Share from which a stage counts as busy, and from which something counts as held back. */
const BUSY_MIN = 0.5
const HELD_MIN = 0.25

/**
 * Returns the stage that holds the pipeline back, or null if none does: the first one that is busy at least half of the time
 * and more busy than held. Without one, but with a stage that is held a quarter of the time, it is the busiest stage that is
 * more busy than held, because several stages share the time. Stages of batches share one thread: if together they are busy
 * half of the time and none is alone, it is the busiest of them.
 */
export function bottleneckOf(stages: readonly StageView[]): string | null {
  const free = stages.filter(({ stage, busy, held }) => stage !== BUFFER && busy > held)
  const first = free.find(({ busy }) => busy >= BUSY_MIN)
  if (first !== undefined) return first.stage
  const batch = stages.slice(
    1,
    stages.findIndex(({ stage }) => stage === BUFFER),
  )
  const isHeld = stages.some(({ held }) => held >= HELD_MIN)
  if (isHeld) return busiestOf(free)
  const together = batch.reduce((sum, { busy }) => sum + busy, 0)
  return together >= BUSY_MIN ? busiestOf(batch) : null
}

function busiestOf(stages: readonly StageView[]): string | null {
  const [first] = [...stages].sort((a, b) => b.busy - a.busy)
  return first === undefined || first.busy === 0 ? null : first.stage
}
