import { PipelineError } from '../errors.ts'
import type { Budget, BudgetMember } from './budget.ts'
import type { FlushCredit } from './flush-credit.ts'

/**
 * Uncommitted flushes at once: one is written while the next one forms. More would hold memory without being faster,
 * since flushes are committed one after the other; the limit also keeps small flushes from using the whole byte budget.
 */
const FLUSHES_MAX = 2

/**
 * Names the reason why a batch must wait: the topic is paused, it has the maximum number of uncommitted flushes, or its
 * own bytes or the bytes of all topics of the process are used up.
 */
export type CreditReason = 'paused' | 'flushes' | 'topic' | 'process'

/** Describes the first batch that waits for credit. */
export interface CreditWait {
  readonly bytes: number
  readonly reason: CreditReason
}

interface Waiter {
  readonly bytes: number
  readonly turn: number
  readonly grant: () => void
}

/**
 * Limits the bytes that a pipeline holds: credit is taken for a batch before it is emitted and given back once its
 * flush is committed or dropped. This is the backpressure that RxJS does not have. While it is paused no credit is
 * granted, so that the source waits as it does when the bytes are used up. A topic that shares a `Budget` with others
 * needs room in both.
 */
export class Credit implements BudgetMember, FlushCredit {
  readonly bytesMax: number
  readonly flushesMax: number
  readonly #budget: Budget | undefined
  #taken = 0
  #flushes = 0
  #closed = 0
  #isPaused = false
  /** Callers that need every batch flushed as soon as possible. */
  #eager = 0
  #formFlush: (() => void) | undefined
  readonly #waiting: Waiter[] = []
  #flushWaiting: { readonly upTo: number; readonly resolve: () => void }[] = []

  /** Grants no credit while `flushesMax` flushes have left the buffer and are not committed. */
  constructor(bytesMax: number, flushesMax = FLUSHES_MAX, budget?: Budget) {
    this.bytesMax = bytesMax
    this.flushesMax = flushesMax
    this.#budget = budget
    budget?.join(this)
  }

  /** Bytes that are taken and not given back. */
  get taken(): number {
    return this.#taken
  }

  /** Bytes reserved for this topic. */
  get reserved(): number {
    return this.#budget?.reservedFor(this) ?? this.bytesMax
  }

  /** Number of callers that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The first caller that waits, and the reason. */
  get wait(): CreditWait | undefined {
    const first = this.#waiting[0]
    if (first === undefined) return undefined
    return { bytes: first.bytes, reason: this.#refusal(first) ?? 'topic' }
  }

  /** The request to the shared budget; `undefined` while the topic's own limits refuse it. */
  get pending(): { readonly bytes: number; readonly turn: number } | undefined {
    const first = this.#waiting[0]
    return first === undefined || this.#ownRefusal(first.bytes) !== undefined ? undefined : first
  }

  /** True if the buffer should be flushed before it is due, because a batch waits for its bytes. */
  get shouldFlush(): boolean {
    if (this.#flushes > 0) return false
    if (this.#eager > 0) return true
    return this.#budget?.shouldFlush(this) === true || this.wait?.reason === 'topic'
  }

  /**
   * Takes `bytes` without waiting and returns whether it did: only if they are free and no caller waits. A batch larger
   * than the whole budget is granted when nothing else is held.
   */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || this.#refusal({ bytes }) !== undefined) return false
    this.#takeNow(bytes)
    return true
  }

  /** Resolves when `bytes` are taken, in the order of the calls. An aborted wait takes nothing and rejects with the reason. */
  take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.tryTake(bytes)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = {
        bytes,
        turn: this.#budget?.nextTurn() ?? 0,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(waiter)
        if (index >= 0) this.#waiting.splice(index, 1)
        reject(signal?.reason instanceof Error ? signal.reason : new Error('The wait for credit was aborted'))
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

  /** Gives `bytes` back and grants waiting callers their credit, in their order. */
  give(bytes: number): void {
    this.#giveBack(bytes)
    this.#settle()
  }

  /** Takes `bytes` without waiting, also beyond the budget: for batches that turned out larger than estimated. */
  charge(bytes: number): void {
    this.#taken += bytes
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Stops granting credit until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  /** Grants credit again, first to the callers that wait. */
  resume(): void {
    this.#isPaused = false
    this.#settle()
  }

  /** Counts a flush that left the buffer. */
  flushOpened(): void {
    this.#flushes++
  }

  /** Counts a flush that is committed or dropped, gives its `bytes` back and grants waiting callers their credit. */
  flushSettled(bytes: number): void {
    this.#giveBack(bytes)
    this.#flushes--
    if (this.#flushes < 0) throw new Error('Broken invariant: a flush was closed twice')
    const closed = ++this.#closed
    for (const { upTo, resolve } of this.#flushWaiting) if (upTo <= closed) resolve()
    this.#flushWaiting = this.#flushWaiting.filter(({ upTo }) => upTo > closed)
    this.#settle()
  }

  /** Registers the function that flushes the buffer now. Returns a function that unregisters it. */
  registerFlush(form: () => void): () => void {
    this.#formFlush = form
    return () => {
      if (this.#formFlush === form) this.#formFlush = undefined
    }
  }

  /**
   * Lets `shouldFlush` be true whenever no flush is under way, until the returned function is called, so that batches are
   * flushed as soon as they arrive.
   */
  flushEagerly(): () => void {
    this.#eager++
    return () => this.#eager--
  }

  /** Flushes the buffer and resolves when all flushes so far are committed or dropped; immediately if there are none. */
  flush(): Promise<void> {
    this.#formFlush?.()
    if (this.#flushes === 0) return Promise.resolve()
    const upTo = this.#closed + this.#flushes
    return new Promise((resolve) => this.#flushWaiting.push({ upTo, resolve }))
  }

  /** Grants the first waiting caller its credit if the limits allow it; returns whether it did. */
  grantNext(): boolean {
    const next = this.#waiting[0]
    if (next === undefined || this.#refusal(next) !== undefined) return false
    this.#waiting.shift()
    this.#takeNow(next.bytes)
    next.grant()
    return true
  }

  /** Flushes the buffer unless a flush is already under way, whose bytes are given back soon. */
  requestFlush(): void {
    if (this.#flushes === 0) this.#formFlush?.()
  }

  /** Leaves the shared budget, which no longer counts the bytes taken here. */
  close(): void {
    this.#budget?.leave(this)
  }

  #giveBack(bytes: number): void {
    if (bytes > this.#taken) {
      const detail = `credit given back twice: ${bytes} bytes, and ${this.#taken} are taken; a batch reached the buffer twice, or its provenance was changed`
      throw new PipelineError('KD_OPERATOR_INVALID', detail)
    }
    this.#taken -= bytes
  }

  #takeNow(bytes: number): void {
    this.#budget?.noteTaking(this, bytes)
    this.#taken += bytes
  }

  /** Grants waiting callers the credit that the limits allow now. */
  #settle(): void {
    if (this.#budget === undefined) while (this.grantNext());
    else this.#budget.grantWaiting()
    // Otherwise a batch that does not fit beside the buffer would wait until the buffer is old enough to be flushed.
    if (this.wait?.reason === 'topic')
      queueMicrotask(() => this.wait?.reason === 'topic' && this.requestFlush())
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
