import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'

/** Traces one flush, from when it is formed until its offsets are committed. */
export interface FlushTrace {
  /** The context whose active span is the flush's root. */
  readonly context: Context
  /** Name of the flush in the log, from `flushNameOf`. */
  readonly name?: string | undefined
  /** Starts a stage and returns the function that ends it. The time of a nested stage is not counted for the outer stage. */
  begin?(stage: string): () => void
  /** Returns the time of each stage until now. */
  stages?(): FlushStages
  /** Ends the root span; `error` is given when the flush failed or was dropped. */
  end(error?: unknown): void
}

/** A trace that records nothing. */
export const NO_TRACE: FlushTrace = { context: ROOT_CONTEXT, end: () => undefined }

/**
 * Divides the time of one flush among the stages, from the start of its earliest poll to its end. Every instant counts
 * for exactly one stage, so that the stages add up to `totalMs`. `wait` is the time in which no stage was active (no
 * credit, or the previous flush was not finished), `buffer` the time in which the buffer waited for more records.
 */
export interface FlushStages {
  /** The flush's number within the process. */
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly totalMs: number
  /** Milliseconds by stage, such as `decode` or `commitDelta`, or by the name of a custom operator. */
  readonly ms: Readonly<Record<string, number>>
}
