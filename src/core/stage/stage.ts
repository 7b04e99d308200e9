import { map, Observable, Subject, takeUntil, type OperatorFunction } from 'rxjs'
import type { Batch } from '../batch.ts'
import { nowMs } from './span.ts'

/** Sets the bounds of a stage. */
export interface StageOptions {
  /** Inputs processed at once; results are emitted in the order of the inputs. Default 1. */
  readonly concurrency?: number
}

/**
 * Runs `run` on each input with an order and a bound: at most `concurrency` inputs are processed at once, results are
 * emitted in the order of the inputs, a synchronous result is emitted immediately, and `undefined` is not emitted.
 * Waiting inputs are bounded by the byte credit that their batches hold. An error, or the end of the subscription, ends
 * the source; inputs that wait are then not started.
 */
export function stage<A, B>(
  run: (input: A) => B | undefined | Promise<B | undefined>,
  options: StageOptions = {},
): OperatorFunction<A, B> {
  const concurrency = options.concurrency ?? 1
  return (source) =>
    new Observable<B>((subscriber) => {
      const waiting: A[] = []
      const running: Slot<B>[] = []
      let completed = false
      // A source that emits while it is being subscribed to has no subscription yet that could be ended.
      const ended = new Subject<void>()
      subscriber.add(() => {
        waiting.length = 0
        ended.next()
      })

      const emitDone = (): void => {
        for (let next = running[0]; next?.done === true; next = running[0]) {
          running.shift()
          if (next.result !== undefined) subscriber.next(next.result)
        }
      }
      const startNext = (): void => {
        while (!subscriber.closed && running.length < concurrency && waiting.length > 0)
          start(waiting.shift() as A)
        if (completed && running.length === 0 && waiting.length === 0) subscriber.complete()
      }
      const start = (input: A): void => {
        const slot: Slot<B> = { done: false, result: undefined }
        running.push(slot)
        try {
          const result = run(input)
          if (result instanceof Promise) void settleLater(slot, result)
          else {
            slot.done = true
            slot.result = result
            emitDone()
          }
        } catch (error) {
          subscriber.error(error)
        }
      }
      const settleLater = (slot: Slot<B>, result: Promise<B | undefined>): Promise<void> =>
        result.then(
          (value) => {
            slot.done = true
            slot.result = value
            emitDone()
            startNext()
          },
          (error: unknown) => subscriber.error(error),
        )
      return source.pipe(takeUntil(ended)).subscribe({
        next(input) {
          waiting.push(input)
          startNext()
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          completed = true
          startNext()
        },
      })
    })
}

interface Slot<B> {
  done: boolean
  result: B | undefined
}

/** Maps the payload of batches, keeps the provenance, and adds the time taken to the timings of the batch. */
export function batchStage<A, B>(
  name: string,
  run: (payload: A, batch: Batch<A>) => B,
): OperatorFunction<Batch<A>, Batch<B>> {
  return map((batch: Batch<A>) => {
    const startMs = nowMs()
    const payload = run(batch.payload, batch)
    batch.provenance.timings.push({ stage: name, startMs, endMs: nowMs() })
    return { provenance: batch.provenance, payload }
  })
}
