import type { Budget, Member } from './budget.ts'

/**
 * Flushes on their way at once: one is written while the next one forms. More would hold memory without being faster,
 * since flushes become commits one after the other; so a small flush does not let the whole byte budget fill up.
 */
const FLUSHES_MAX = 2

/**
 * Why a batch may not flow yet: the topic is paused, as many of its flushes are on their way as may be, or the bytes are used
 * up that it, or all topics of the process, may have.
 */
export type CreditReason = 'paused' | 'flushes' | 'topic' | 'process'

/** The first that waits; `sinceMs` is in milliseconds since the epoch. */
export interface CreditWait {
  readonly bytes: number
  readonly sinceMs: number
  readonly reason: CreditReason
}

interface Waiter {
  readonly bytes: number
  readonly sinceMs: number
  readonly turn: number
  readonly grant: () => void
}

/**
 * The byte budget of a pipeline: taken for a batch before it may flow, given back once its flush is committed or
 * dropped. This is the backpressure that RxJS does not have. While it is paused nothing is granted, so that whoever reads
 * waits as it does when the budget is used up. Of a topic that shares a `Budget` with others both have to allow a batch.
 */
export class Credit implements Member {
  readonly bytesMax: number
  readonly flushesMax: number
  readonly #budget: Budget | undefined
  #taken = 0
  #flushes = 0
  #closed = 0
  #isPaused = false
  #formFlush: (() => void) | undefined
  readonly #waiting: Waiter[] = []
  #flushWaiting: { readonly upTo: number; readonly resolve: () => void }[] = []

  /** No more is granted while `flushesMax` flushes are on their way from the buffer to the table. */
  constructor(bytesMax: number, flushesMax = FLUSHES_MAX, budget?: Budget) {
    this.bytesMax = bytesMax
    this.flushesMax = flushesMax
    this.#budget = budget
    budget?.join(this)
  }

  /** Bytes taken and not given back. */
  get taken(): number {
    return this.#taken
  }

  /** Of the bytes those that no other topic can take. */
  get kept(): number {
    return this.#budget?.keptFor(this) ?? this.bytesMax
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The first that waits, and for what. */
  get wait(): CreditWait | undefined {
    const first = this.#waiting[0]
    if (first === undefined) return undefined
    const { bytes, sinceMs } = first
    return { bytes, sinceMs, reason: this.#refusal(first) ?? 'topic' }
  }

  /** What the common budget is asked for; nothing while the topic has no room of its own. */
  get wish(): { readonly bytes: number; readonly turn: number } | undefined {
    const first = this.#waiting[0]
    return first === undefined || this.#ownRefusal(first.bytes) !== undefined ? undefined : first
  }

  /** Whether what is buffered should become a flush before it is due, since somebody waits for its bytes. */
  get isPressed(): boolean {
    if (this.#flushes > 0) return false
    return this.#budget?.isPressed(this) === true || this.wait?.reason === 'topic'
  }

  /** Takes `bytes` at once if they are free and nobody waits; says whether it did. A batch above the whole budget passes alone. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || this.#refusal({ bytes }) !== undefined) return false
    this.#takeNow(bytes)
    return true
  }

  /** Resolves when `bytes` are taken; in order of the calls. An aborted wait takes nothing and rejects with the reason. */
  take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.tryTake(bytes)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = {
        bytes,
        sinceMs: Date.now(),
        turn: this.#budget?.nextTurn() ?? 0,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(waiter)
        if (index >= 0) this.#waiting.splice(index, 1)
        reject(
          signal?.reason instanceof Error ? signal.reason : new Error('The wait for credit was given up'),
        )
        this.#settle()
      }
      if (signal?.aborted === true) {
        onAbort()
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiter)
      this.#settle()
    })
  }

  /** Gives `bytes` back and lets those who wait go on, in their order. */
  give(bytes: number): void {
    this.#taken -= bytes
    if (this.#taken < 0) throw new Error(`Broken invariant: credit given back twice (${this.#taken} bytes)`)
    this.#settle()
  }

  /** Takes `bytes` without waiting, over the budget if need be: for what turned out larger than was foreseen. */
  charge(bytes: number): void {
    this.#taken += bytes
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Grants nothing until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  /** Grants again, to those who wait first. */
  resume(): void {
    this.#isPaused = false
    this.#settle()
  }

  /** A flush left the buffer. */
  flushOpened(): void {
    this.#flushes++
  }

  /** A flush is committed or dropped. */
  flushClosed(): void {
    this.#flushes--
    if (this.#flushes < 0) throw new Error('Broken invariant: a flush was closed twice')
    const closed = ++this.#closed
    for (const { upTo, resolve } of this.#flushWaiting) if (upTo <= closed) resolve()
    this.#flushWaiting = this.#flushWaiting.filter(({ upTo }) => upTo > closed)
    this.#settle()
  }

  /** Says how what is buffered becomes a flush now. What is returned takes that back. */
  onFlush(form: () => void): () => void {
    this.#formFlush = form
    return () => {
      if (this.#formFlush === form) this.#formFlush = undefined
    }
  }

  /** Makes a flush of what is buffered; resolves when it and those before it are committed or dropped, at once without any. */
  flush(): Promise<void> {
    this.#formFlush?.()
    if (this.#flushes === 0) return Promise.resolve()
    const upTo = this.#closed + this.#flushes
    return new Promise((resolve) => this.#flushWaiting.push({ upTo, resolve }))
  }

  /** Lets the first that waits go on if it may; says whether it did. */
  grantOne(): boolean {
    const next = this.#waiting[0]
    if (next === undefined || this.#refusal(next) !== undefined) return false
    this.#waiting.shift()
    this.#takeNow(next.bytes)
    next.grant()
    return true
  }

  /** Makes a flush of what is buffered unless one is on its way, whose bytes come back anyhow. */
  press(): void {
    if (this.#flushes === 0) this.#formFlush?.()
  }

  /** Shares no budget any more; what is taken counts for nobody. */
  close(): void {
    this.#budget?.leave(this)
  }

  #takeNow(bytes: number): void {
    this.#budget?.takes(this, bytes)
    this.#taken += bytes
  }

  /** Lets those go on that may now. */
  #settle(): void {
    if (this.#budget === undefined) while (this.grantOne());
    else this.#budget.settle()
    // Else a batch too large beside what is buffered waits until that is old enough to be flushed.
    if (this.wait?.reason === 'topic') queueMicrotask(() => this.wait?.reason === 'topic' && this.press())
  }

  #refusal({ bytes, turn }: { readonly bytes: number; readonly turn?: number }): CreditReason | undefined {
    const own = this.#ownRefusal(bytes)
    if (own !== undefined) return own
    return this.#budget === undefined || this.#budget.allows(this, bytes, turn) ? undefined : 'process'
  }

  #ownRefusal(bytes: number): CreditReason | undefined {
    if (this.#isPaused) return 'paused'
    if (this.#taken === 0) return undefined
    if (this.#flushes >= this.flushesMax) return 'flushes'
    return this.#taken + bytes <= this.bytesMax ? undefined : 'topic'
  }
}
