import type { StageTiming } from '../batch.ts'
import type { FlushStages } from '../flush-trace.ts'
import { nowMs } from './span.ts'

/** Stages of a flush by the operators that they are, in their order; operators of a program's own add theirs. */
export const STAGE_NAMES = [
  'poll',
  'schemas',
  'decode',
  'transform',
  'validate',
  'enrich',
  'constrain',
  'partitionBy',
  'buffer',
  'wait',
  'toArrow',
  'writeParquet',
  'deadLetters',
  'commitDelta',
  'commitOffsets',
] as const

/** What of a batch tells when it was worked on. */
export interface Timed {
  readonly polledAtMs: number
  readonly timings: readonly StageTiming[]
}

/** Counts the time of one flush: a few additions for each of its batches and stages, whether it is traced or not. */
export class StageClock {
  readonly id: number
  readonly startedAtMs: number
  readonly formedAtMs: number
  readonly #ms: Record<string, number> = {}
  readonly #open: string[] = []
  #atMs: number

  /** Begins when the flush was formed, of batches in the order of their arrival. */
  constructor(id: number, batches: readonly Timed[]) {
    this.id = id
    this.startedAtMs = startOf(batches)
    this.#atMs = this.startedAtMs
    let formedMs = this.#atMs
    for (const { timings } of batches) {
      for (const { stage, startMs, endMs } of timings) {
        formedMs = Math.max(formedMs, endMs)
        // The buffer holds one batch while others are read: what is left at the end is its own time.
        if (stage === 'buffer') continue
        this.#pass(startMs, stage === 'poll' ? 'buffer' : 'wait')
        this.#pass(endMs, stage)
      }
    }
    this.#pass(formedMs, 'buffer')
    this.formedAtMs = this.#atMs
  }

  /** Up to when time is counted, in milliseconds since the epoch. */
  get atMs(): number {
    return this.#atMs
  }

  /** Whether a stage works on the flush. */
  get isBusy(): boolean {
    return this.#open.length > 0
  }

  /** A stage takes the flush up; what is returned ends it. A stage within another takes its time from it. */
  begin(stage: string): () => void {
    this.#pass(nowMs(), this.#open.at(-1) ?? 'wait')
    this.#open.push(stage)
    return () => {
      this.#pass(nowMs(), stage)
      this.#open.pop()
    }
  }

  /** Where the time went until now. */
  stages(): FlushStages {
    this.#pass(nowMs(), this.#open.at(-1) ?? 'wait')
    return {
      id: this.id,
      startedAtMs: this.startedAtMs,
      totalMs: this.#atMs - this.startedAtMs,
      ms: this.#ms,
    }
  }

  #pass(untilMs: number, stage: string): void {
    if (untilMs <= this.#atMs) return
    this.#ms[stage] = (this.#ms[stage] ?? 0) + untilMs - this.#atMs
    this.#atMs = untilMs
  }
}

/** When the first poll of these batches began; where polls were not timed, when the first batch was delivered. */
export function startOf(batches: readonly Timed[]): number {
  let startMs = Infinity
  for (const { polledAtMs, timings } of batches) {
    const first = timings[0]
    const isTimed = first?.stage === 'poll'
    startMs = Math.min(startMs, isTimed ? first.startMs : Math.min(first?.startMs ?? Infinity, polledAtMs))
  }
  return startMs === Infinity ? nowMs() : startMs
}
