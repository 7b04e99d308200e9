import type { StageTiming } from '../batch.ts'
import type { FlushStages } from '../flush-trace.ts'
import { nowMs } from './span.ts'

/** Holds the times at which the stages processed a batch. */
export interface TimedBatch {
  readonly polledAtMs: number
  readonly timings: readonly StageTiming[]
}

/** Measures the time that each stage spends on one flush, whether the flush is traced or not. */
export class StageTimer {
  readonly id: number
  readonly startedAtMs: number
  readonly formedAtMs: number
  readonly #ms: Record<string, number> = {}
  readonly #open: string[] = []
  #atMs: number

  /** Starts when the flush is formed; `batches` are in the order of arrival. */
  constructor(id: number, batches: readonly TimedBatch[]) {
    this.id = id
    this.startedAtMs = startMsOf(batches)
    this.#atMs = this.startedAtMs
    let formedMs = this.#atMs
    for (const { timings } of batches) {
      for (const { stage, startMs, endMs } of timings) {
        formedMs = Math.max(formedMs, endMs)
        // The buffer holds one batch while others are read: only the time that no other stage used counts as buffer time.
        if (stage === 'buffer') continue
        this.#passBoth(startMs, stage === 'poll' ? 'buffer' : 'wait', endMs, stage)
      }
    }
    this.#pass(formedMs, 'buffer')
    this.formedAtMs = this.#atMs
  }

  /** The time up to which all time is counted, in milliseconds since the epoch. */
  get atMs(): number {
    return this.#atMs
  }

  /** The stage that is processing the flush; `wait` between stages. */
  get stage(): string {
    return this.#open.at(-1) ?? 'wait'
  }

  /** True if a stage is processing the flush. */
  get isBusy(): boolean {
    return this.#open.length > 0
  }

  /** Starts a stage and returns the function that ends it. The time of a nested stage is not counted for the outer stage. */
  begin(stage: string): () => void {
    this.#pass(nowMs(), this.#open.at(-1) ?? 'wait')
    this.#open.push(stage)
    return () => {
      this.#pass(nowMs(), stage)
      this.#open.pop()
    }
  }

  /** Returns the time of each stage until now. */
  stages(): FlushStages {
    this.#pass(nowMs(), this.#open.at(-1) ?? 'wait')
    return {
      id: this.id,
      startedAtMs: this.startedAtMs,
      totalMs: this.#atMs - this.startedAtMs,
      ms: this.#ms,
    }
  }

  /** Counts the time until `startMs` for `before` and the time from there to `endMs` for `stage`. */
  #passBoth(startMs: number, before: string, endMs: number, stage: string): void {
    if (startMs > this.#atMs) {
      this.#ms[before] = (this.#ms[before] ?? 0) + startMs - this.#atMs
      this.#atMs = startMs
    }
    if (endMs <= this.#atMs) return
    this.#ms[stage] = (this.#ms[stage] ?? 0) + endMs - this.#atMs
    this.#atMs = endMs
  }

  #pass(untilMs: number, stage: string): void {
    if (untilMs <= this.#atMs) return
    this.#ms[stage] = (this.#ms[stage] ?? 0) + untilMs - this.#atMs
    this.#atMs = untilMs
  }
}

/** Returns the start of the earliest poll of these batches, or the delivery of the first batch if polls were not timed. */
export function startMsOf(batches: readonly TimedBatch[]): number {
  let startMs = Infinity
  for (const { polledAtMs, timings } of batches) {
    const first = timings[0]
    const isTimed = first?.stage === 'poll'
    startMs = Math.min(startMs, isTimed ? first.startMs : Math.min(first?.startMs ?? Infinity, polledAtMs))
  }
  return startMs === Infinity ? nowMs() : startMs
}
