import { Observable, type MonoTypeOperatorFunction, type Subscriber } from 'rxjs'

/** Time that the values of one turn of the event loop take at most, in milliseconds, unless it is a single one. */
const TURN_MS_MAX = 20

/** Measures how long the stages after it take for a byte, by which batches are divided. */
export class Pace {
  #msPerByte = 0

  /** Notes that values of `bytes` bytes took `ms` milliseconds. A single value counts little: a pause may have hit it. */
  note(bytes: number, ms: number): void {
    if (bytes === 0) return
    const measured = ms / bytes
    this.#msPerByte = this.#msPerByte === 0 ? measured : this.#msPerByte * 0.75 + measured * 0.25
  }

  /** Returns the milliseconds that `bytes` bytes take, 0 before the first value. */
  msFor(bytes: number): number {
    return this.#msPerByte * bytes
  }

  /** Returns the bytes that take about `ms` milliseconds, or `undefined` before the first value. */
  bytesFor(ms: number): number | undefined {
    return this.#msPerByte === 0 ? undefined : ms / this.#msPerByte
  }
}

/**
 * Emits values in their order and lets the event loop run between them, so that together they block it no longer than 20 ms, or
 * one of them if that is longer. With `prepare`, a value is emitted once it is prepared, and the next one is prepared after that: no value
 * waits between the two. The stages after it must be synchronous: their time is measured. Waiting values are bounded by the
 * byte credit that their batches hold. An error of `prepare` ends the stream.
 */
export function paced<T>(
  pace: Pace,
  bytesOf: (value: T) => number,
  prepare?: (value: T) => T | Promise<T>,
): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((subscriber) => {
      const emitter = new PacedEmitter(subscriber, pace, bytesOf, prepare)
      const subscription = source.subscribe({
        next: (value) => emitter.add(value),
        error: (error: unknown) => subscriber.error(error),
        complete: () => emitter.complete(),
      })
      return () => {
        emitter.stop()
        subscription.unsubscribe()
      }
    })
}

/** Emits the values of one subscription. */
class PacedEmitter<T> {
  readonly #subscriber: Subscriber<T>
  readonly #pace: Pace
  readonly #bytesOf: (value: T) => number
  readonly #prepare: ((value: T) => T | Promise<T>) | undefined
  readonly #waiting: T[] = []
  #isComplete = false
  #isEmitting = false
  #turnMs = 0
  #pause: NodeJS.Immediate | undefined

  constructor(
    subscriber: Subscriber<T>,
    pace: Pace,
    bytesOf: (value: T) => number,
    prepare: ((value: T) => T | Promise<T>) | undefined,
  ) {
    this.#subscriber = subscriber
    this.#pace = pace
    this.#bytesOf = bytesOf
    this.#prepare = prepare
  }

  add(value: T): void {
    this.#waiting.push(value)
    this.#emit()
  }

  complete(): void {
    this.#isComplete = true
    this.#emit()
  }

  /** Ends the emitter; what waits is not emitted any more. */
  stop(): void {
    clearImmediate(this.#pause)
    this.#waiting.length = 0
  }

  #emit(): void {
    if (this.#isEmitting) return
    this.#isEmitting = true
    try {
      while (this.#waiting.length > 0 && this.#hasTimeForFirst() && !this.#subscriber.closed) {
        const startMs = performance.now()
        const ready = this.#prepare?.(this.#waiting[0] as T)
        if (ready instanceof Promise) {
          // It remains the first that waits, and the emitter stays busy, until it is prepared.
          void this.#emitLater(ready)
          return
        }
        this.#emitFirst(startMs)
      }
    } catch (error) {
      this.#subscriber.error(error)
    }
    this.#endTurn()
  }

  /** Returns true when the first value fits in this turn, or is the first one in it. */
  #hasTimeForFirst(): boolean {
    if (this.#turnMs === 0) return true
    return this.#turnMs + this.#pace.msFor(this.#bytesOf(this.#waiting[0] as T)) <= TURN_MS_MAX
  }

  async #emitLater(ready: Promise<T>): Promise<void> {
    try {
      await ready
      if (!this.#subscriber.closed) this.#emitFirst(performance.now())
    } catch (error) {
      this.#subscriber.error(error)
    }
    this.#endTurn()
    this.#emit()
  }

  #emitFirst(startMs: number): void {
    const value = this.#waiting.shift() as T
    this.#subscriber.next(value)
    const ms = performance.now() - startMs
    this.#turnMs += ms
    this.#pace.note(this.#bytesOf(value), ms)
  }

  #endTurn(): void {
    this.#isEmitting = false
    // Its subscriber left while a value was emitted: turns would follow each other without end.
    if (this.#subscriber.closed) return this.stop()
    if (this.#turnMs >= 1 || this.#waiting.length > 0) this.#pause ??= setImmediate(() => this.#startTurn())
    if (this.#isComplete && this.#waiting.length === 0) this.#subscriber.complete()
  }

  #startTurn(): void {
    this.#pause = undefined
    this.#turnMs = 0
    this.#emit()
  }
}
