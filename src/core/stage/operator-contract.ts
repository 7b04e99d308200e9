import {
  asyncScheduler,
  defer,
  isObservable,
  NEVER,
  Observable,
  Subject,
  takeUntil,
  tap,
  type OperatorFunction,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
} from 'rxjs'
import type { Batch, Provenance } from '../batch.ts'
import { messageOf, PipelineError } from '../errors.ts'
import { brokenRuleOf, nameOfBatch } from './broken-rule.ts'
import { isPromiseLike } from './promise-like.ts'

/** Sets the limits of a checked operator. */
export interface OperatorContractOptions<B = never> {
  /**
   * Milliseconds after which the operator must have emitted a batch, or have completed after its source; 5 minutes by
   * default. `Infinity` for no limit.
   */
  readonly heldMsMax?: number | undefined
  /** Returns why the payload of an emitted batch breaks the contract, or `undefined`. Called for each batch. */
  readonly faultOf?: ((payload: B, provenance: Provenance) => string | undefined) | undefined
  readonly scheduler?: SchedulerLike
}

const HELD_MS_MAX = 300_000

/** The last time at which the operator that holds a batch said that it waits for a server. */
const WAITING_SINCE = new WeakMap<Provenance, number>()

/**
 * Notes that an operator holds back a batch because it waits for a server that does not answer. The time limit of the
 * operator starts anew for this batch. To be called with each retry.
 */
export function noteBatchWaiting(provenance: Provenance, scheduler: SchedulerLike = asyncScheduler): void {
  WAITING_SINCE.set(provenance, scheduler.now())
}

/**
 * Checks an operator against its contract: (1) one batch out for each batch in; (2) in the order in which they went in;
 * (3) with the provenance unchanged, as the same object or an equal one; (4) it subscribes to its source once, and completes
 * when its source has completed; (5) no batch is held back longer than `heldMsMax`. A breach ends the stream. An error of
 * the source passes through unchanged, also when the operator hides it. Costs nothing per record. `name` identifies the
 * operator in errors.
 * @throws KD_OPERATOR_INVALID if the operator breaks the contract, as an error of the stream
 * @throws KD_OPERATOR_FAILED if the operator throws or errors with anything but a `PipelineError`, which is the cause
 */
export function checkedOperator<A, B>(
  name: string,
  operator: OperatorFunction<Batch<A>, Batch<B>>,
  options: OperatorContractOptions<B> = {},
): OperatorFunction<Batch<A>, Batch<B>> {
  return (source) =>
    new Observable((subscriber) => {
      new OperatorCheck<A, B>(name, subscriber, options).run(operator, source)
    })
}

interface HeldBatch {
  readonly provenance: Provenance
  readonly sinceMs: number
}

/** The check of one subscription. */
class OperatorCheck<A, B> {
  readonly #name: string
  readonly #subscriber: Subscriber<Batch<B>>
  readonly #options: OperatorContractOptions<B>
  readonly #scheduler: SchedulerLike
  readonly #heldMsMax: number
  readonly #held: HeldBatch[] = []
  readonly #startedMs: number
  #last: Provenance | undefined
  #timer: Subscription | undefined
  #isSubscribed = false
  #completedMs: number | undefined
  #sourceError: { readonly error: unknown } | undefined

  constructor(name: string, subscriber: Subscriber<Batch<B>>, options: OperatorContractOptions<B>) {
    this.#name = name
    this.#subscriber = subscriber
    this.#options = options
    this.#scheduler = options.scheduler ?? asyncScheduler
    this.#heldMsMax = options.heldMsMax ?? HELD_MS_MAX
    this.#startedMs = this.#scheduler.now()
  }

  run(operator: OperatorFunction<Batch<A>, Batch<B>>, source: Observable<Batch<A>>): void {
    // An operator that emits while it is being subscribed to has no subscription yet that could be ended.
    const ended = new Subject<void>()
    this.#subscriber.add(() => {
      ended.next()
      this.#timer?.unsubscribe()
    })
    const output = this.#apply(operator, source)
    output?.pipe(takeUntil(ended)).subscribe({
      next: (batch) => this.#guard(() => this.#emitted(batch)),
      error: (error: unknown) => this.#failed(error),
      complete: () => this.#completed(),
    })
    if (!this.#subscriber.closed && !this.#isSubscribed) this.#watch()
  }

  #apply(
    operator: OperatorFunction<Batch<A>, Batch<B>>,
    source: Observable<Batch<A>>,
  ): Observable<Batch<B>> | undefined {
    let output: unknown
    try {
      output = operator(this.#observed(source))
    } catch (error) {
      this.#failed(error)
      return undefined
    }
    if (isObservable(output)) return output as Observable<Batch<B>>
    this.#breach(`it returned ${describe(output)} instead of an observable`)
    return undefined
  }

  /** Returns the source as the operator sees it. */
  #observed(source: Observable<Batch<A>>): Observable<Batch<A>> {
    return defer(() => {
      if (this.#isSubscribed) {
        this.#breach('it subscribes to its source more than once')
        return NEVER
      }
      this.#isSubscribed = true
      return source.pipe(
        tap({
          next: ({ provenance }) => {
            this.#held.push({ provenance, sinceMs: this.#scheduler.now() })
            this.#watch()
          },
          error: (error: unknown) => {
            this.#sourceError = { error }
            // The operator may hide the error. It sees the error first, so that it can end what it has open.
            queueMicrotask(() => this.#subscriber.error(error))
          },
          complete: () => {
            this.#completedMs = this.#scheduler.now()
            this.#watch()
          },
          unsubscribe: () => this.#breach('it unsubscribes from its source before the source has completed'),
        }),
      )
    })
  }

  #emitted(batch: unknown): void {
    if (!isBatch(batch)) {
      this.#breach(`it emitted ${describe(batch)} instead of a batch`)
      return
    }
    const { payload } = batch
    const expected = this.#held[0]?.provenance
    if (expected === undefined || !isSameProvenance(batch.provenance, expected)) {
      const waiting = this.#held.map(({ provenance }) => provenance)
      this.#breach(brokenRuleOf(batch.provenance, waiting, this.#last, isSameProvenance), expected)
    } else if (isPromiseLike(payload) || payload === undefined || payload === null) {
      this.#breach(`it emitted a batch with ${describe(payload)} as payload`, expected)
    } else {
      const fault = this.#options.faultOf?.(payload as B, expected)
      if (fault !== undefined) {
        this.#breach(fault, expected)
        return
      }
      this.#held.shift()
      this.#last = expected
      const out = batch as Batch<B>
      this.#subscriber.next(out.provenance === expected ? out : { ...out, provenance: expected })
    }
  }

  #completed(): void {
    const held = this.#held[0]?.provenance
    if (this.#subscriber.closed) return
    if (this.#sourceError !== undefined) this.#subscriber.error(this.#sourceError.error)
    else if (this.#completedMs === undefined) this.#breach('it completed before its source', held)
    else if (held === undefined) this.#subscriber.complete()
    else {
      const count = this.#held.length
      const which =
        count === 1 ? nameOfBatch(held) : `${count} batches, the first of them ${nameOfBatch(held)},`
      this.#breach(`it left out ${which} that went in, and completed`, held)
    }
  }

  /** Ends the stream with an error of the operator, or of its source. */
  #failed(error: unknown): void {
    if (this.#sourceError !== undefined) this.#subscriber.error(this.#sourceError.error)
    else if (error instanceof PipelineError) this.#subscriber.error(error)
    else {
      const detail = `operator ${this.#name}: ${messageOf(error)}`
      const place = placeOf(this.#held[0]?.provenance)
      this.#subscriber.error(new PipelineError('KD_OPERATOR_FAILED', detail, place, { cause: error }))
    }
  }

  #breach(rule: string, provenance?: Provenance): void {
    if (this.#subscriber.closed) return
    const detail = `operator ${this.#name}: ${rule}`
    this.#subscriber.error(new PipelineError('KD_OPERATOR_INVALID', detail, placeOf(provenance)))
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Starts the timer unless it runs. It is not stopped for each batch, but finds nothing that is due. */
  #watch(): void {
    const dueMs = this.#dueMs()
    if (dueMs === undefined || !Number.isFinite(dueMs) || this.#timer !== undefined) return
    if (this.#subscriber.closed) return
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timer = undefined
        this.#checkTime()
      },
      Math.max(1, dueMs - this.#scheduler.now()),
    )
  }

  #checkTime(): void {
    const dueMs = this.#dueMs()
    if (dueMs === undefined || dueMs > this.#scheduler.now()) {
      this.#watch()
      return
    }
    const seconds = `for ${this.#heldMsMax / 1000} s`
    const held = this.#held[0]?.provenance
    if (held !== undefined) this.#breach(`it has held back ${nameOfBatch(held)} ${seconds}`, held)
    else if (!this.#isSubscribed) this.#breach(`it has not subscribed to its source ${seconds}`)
    else this.#breach(`it has not completed ${seconds} after its source`)
  }

  /** Returns the time at which the operator must have done what is due next. */
  #dueMs(): number | undefined {
    const held = this.#held[0]
    const sinceMs =
      held === undefined
        ? this.#isSubscribed
          ? this.#completedMs
          : this.#startedMs
        : Math.max(held.sinceMs, WAITING_SINCE.get(held.provenance) ?? 0)
    return sinceMs === undefined ? undefined : sinceMs + this.#heldMsMax
  }
}

function isBatch(value: unknown): value is Batch<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { provenance } = value as Partial<Batch<unknown>>
  return typeof provenance === 'object' && 'payload' in value
}

function isSameProvenance(a: Provenance, b: Provenance): boolean {
  return (
    a === b ||
    (a.topic === b.topic &&
      a.partition === b.partition &&
      a.follows === b.follows &&
      a.first === b.first &&
      a.last === b.last &&
      a.topicId === b.topicId &&
      a.records === b.records &&
      a.bytes === b.bytes)
  )
}

function describe(value: unknown): string {
  if (isPromiseLike(value)) {
    // Its rejection would otherwise end the process.
    value.then(undefined, () => undefined)
    return 'a promise'
  }
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function placeOf(provenance: Provenance | undefined): Record<string, string | number | bigint> {
  if (provenance === undefined) return {}
  const { topic, partition, first, last } = provenance
  return { topic, partition, first, last }
}
