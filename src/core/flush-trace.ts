import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'

/** The trace of one flush, opened when the flush is formed and ended after its offsets are committed. */
export interface FlushTrace {
  /** The context whose active span is the flush's root. */
  readonly context: Context
  /** What tells the flush from others in the log: see `flushName`. */
  readonly name?: string
  /** A stage takes the flush up; what is returned ends it. A stage within another takes its time from it. */
  begin?(stage: string): () => void
  /** Where the time went until now. */
  stages?(): FlushStages
  /** Ends the root span: `error` when the flush failed or was dropped. */
  end(error?: unknown): void
}

/** The trace of a flush that nobody traces. */
export const NO_TRACE: FlushTrace = { context: ROOT_CONTEXT, end: () => undefined }

/**
 * Where the time of one flush went, from the start of its earliest poll to its end. Every instant counts for one stage,
 * the one that worked on the flush then, so that the stages add up to `totalMs`: `wait` is when nothing did (no credit, or
 * the flush before was still on its way), `buffer` when it was waiting for more records.
 */
export interface FlushStages {
  /** The flush's number within the process. */
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  readonly totalMs: number
  /** Milliseconds by stage; of `STAGE_NAMES`, or of an operator that a program added. */
  readonly ms: Readonly<Record<string, number>>
}
