import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { FlushTrace } from '../../core/flush-trace.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Credit } from '../../core/credit/credit.ts'
import type { InFlightFlush, InFlightWork } from './state.ts'

/** Tracks the flushes of one topic from stage to stage, so that a stalled topic can report where its work is. */
export class FlushTracker {
  readonly #credit: Credit
  readonly #clock: Clock
  readonly #flushes = new Map<number, InFlightFlush>()

  constructor(credit: Credit, clock: Clock = systemClock) {
    this.#credit = credit
    this.#clock = clock
  }

  /** Returns a trace that also records the stages here. */
  track({ id, counts: { records }, bytes }: FormedFlush, trace: FlushTrace): FlushTrace {
    const at = (stage: string): void =>
      void this.#flushes.set(id, { id, records, bytes, stage, sinceMs: this.#clock.now() })
    at('wait')
    return {
      ...trace,
      begin: (stage) => {
        const outer = this.#flushes.get(id)?.stage ?? 'wait'
        const ended = trace.begin?.(stage)
        at(stage)
        return () => {
          ended?.()
          if (this.#flushes.has(id)) at(outer)
        }
      },
      end: (error) => {
        this.#flushes.delete(id)
        trace.end(error)
      },
    }
  }

  current(): InFlightWork {
    const flushes = [...this.#flushes.values()]
    const waiting = this.#credit.wait
    const inFlushes = flushes.reduce((sum, { bytes }) => sum + bytes, 0)
    return {
      ...(waiting === undefined ? {} : { waiting }),
      bufferedBytes: Math.max(0, this.#credit.taken - inFlushes),
      flushes,
    }
  }
}
