import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { FlushTrace } from '../../core/flush-trace.ts'
import type { Credit } from '../../core/credit/credit.ts'
import { openFlushTrace, type OpenFlushTrace } from '../../telemetry/tracing/flush-trace.ts'
import type { TopicEventHandler } from './events.ts'
import type { InFlightWork } from './state.ts'

interface OpenFlush {
  readonly flush: FormedFlush
  readonly trace: OpenFlushTrace
}

/** Holds the flushes of one pipeline that are not committed, and emits their beginnings and ends as events. */
export class FlushTracker {
  readonly #groupId: string
  readonly #emit: TopicEventHandler
  /** By the flush's number. */
  readonly #open = new Map<number, OpenFlush>()

  /** Flushes are traced as work of the consumer group `groupId`. */
  constructor(groupId: string, emit: TopicEventHandler) {
    this.#groupId = groupId
    this.#emit = emit
  }

  /** Returns the trace of a flush that was formed. Its end ends the flush. */
  open(flush: FormedFlush): FlushTrace {
    const { id, provenances, counts, bytes } = flush
    const formedMs = performance.now()
    const trace = openFlushTrace({ id, groupId: this.#groupId, provenances, counts, bytes }, (error) => {
      this.#open.delete(id)
      const durationMs = performance.now() - formedMs
      const stages = trace.stages()
      this.#emit({
        kind: 'flush-ended',
        flush,
        durationMs,
        stages,
        trace,
        ...(error === undefined ? {} : { error }),
      })
    })
    this.#open.set(id, { flush, trace })
    this.#emit({ kind: 'flush-formed', flush })
    return trace
  }

  /** Ends all open flushes, in their traces too, because the pipeline has ended without committing them. */
  endAll(error: unknown): void {
    for (const { trace } of this.#open.values()) trace.end(error)
  }

  /** Returns where the work between Kafka and the table is; `credit` is that of the pipeline. */
  inFlight(credit: Credit): InFlightWork {
    const flushes = [...this.#open.values()].map(({ flush: { id, counts, bytes }, trace }) => ({
      id,
      records: counts.records,
      bytes,
      ...trace.position,
    }))
    const waiting = credit.wait
    const inFlushes = flushes.reduce((sum, { bytes }) => sum + bytes, 0)
    return {
      ...(waiting === undefined ? {} : { waiting }),
      bufferedBytes: Math.max(0, credit.taken - inFlushes),
      flushes,
    }
  }
}
