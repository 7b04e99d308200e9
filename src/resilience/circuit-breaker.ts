import {
  CircuitState as PolicyState,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
  type CircuitBreakerPolicy,
  type IBreaker,
} from 'cockatiel'
import type { Circuit, CircuitState } from '../core/circuit.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import { serverAvailabilityOf } from './server-availability.ts'

/** Configures when a circuit opens and closes. */
export interface CircuitOptions {
  /** Consecutive failures of requests to the server that open the circuit. */
  readonly failures: number
  /** Time for which the circuit stays open before it lets a trial request through, in milliseconds. */
  readonly openMs: number
  /** Consecutive successes that close the circuit again; a failure before that opens it. */
  readonly successes: number
}

/** Holds the options, clock and callbacks of a circuit breaker. */
interface CircuitBreakerContext {
  readonly options: CircuitOptions
  readonly clock: Clock
  /** Aborted when requests must no longer wait for a server. */
  readonly signal: AbortSignal
  /** Called on every change of state. */
  readonly onChange: (circuit: Circuit) => void
}

/** Maximum length of the reason why a circuit opened, in characters. */
const REASON_CHARACTERS_MAX = 300

/** Errors that say nothing about the server do not count for the policy. */
const FAILURES = handleWhen((error) => serverAvailabilityOf(error) === 'down')

/**
 * Guards the requests to one server: they wait while the circuit is open. Consecutive failures open it; after a time it
 * lets one trial request through, and consecutive successes close it.
 */
export class CircuitBreaker {
  readonly kind: 'store' | 'registry'
  readonly name: string
  readonly #context: CircuitBreakerContext
  readonly #trials: Trials
  readonly #policy: CircuitBreakerPolicy
  #state: CircuitState = 'closed'
  #sinceMs: number
  #opened = 0
  #retries = 0
  #answers = 0
  #reason: string | undefined
  /** Time of the first successful trial. */
  #answeredMs = 0
  /** Time of the next trial request. */
  #dueMs = 0
  #trial: Promise<unknown> = Promise.resolve()
  /** Shared by all waiting requests. */
  #gate: Promise<void> | undefined

  constructor(kind: 'store' | 'registry', name: string, context: CircuitBreakerContext) {
    this.kind = kind
    this.name = name
    this.#context = context
    this.#sinceMs = context.clock.now()
    this.#trials = new Trials(context.options, () => this.#updateState())
    // The open time is measured by the injected clock: the policy is asked again only when it is over.
    this.#policy = circuitBreaker(FAILURES, { halfOpenAfter: 0, breaker: this.#trials })
    this.#policy.onBreak(() => {
      this.#opened++
      this.#dueMs = context.clock.now() + context.options.openMs
    })
    this.#policy.onHalfOpen(() => {
      this.#trials.begin()
    })
    this.#policy.onStateChange((state) => {
      if (state === PolicyState.Closed) this.#answeredMs = context.clock.now()
      this.#updateState()
    })
  }

  /** The current state of the circuit. */
  get circuit(): Circuit {
    this.#closeIfIdle()
    const isDue = this.#state === 'open' && this.#context.clock.now() >= this.#dueMs
    return {
      kind: this.kind,
      name: this.name,
      state: isDue ? 'half-open' : this.#state,
      sinceMs: isDue ? this.#dueMs : this.#sinceMs,
      openedCount: this.#opened,
      retries: this.#retries,
      ...(this.#isPassing ? { isPassing: true as const } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    }
  }

  /** Times that the circuit has opened. */
  get openedCount(): number {
    return this.#opened
  }

  /** Requests that the server has answered, including refusals. */
  get answerCount(): number {
    return this.#answers
  }

  /** True if the circuit is not closed and requests must no longer wait for it. */
  get isAbandoned(): boolean {
    return this.#context.signal.aborted && this.#policy.state !== PolicyState.Closed
  }

  /** Counts a request that is retried. */
  countRetry(): void {
    this.#retries++
  }

  /**
   * Sends a request once, as soon as the circuit lets it through, and rethrows its errors.
   * @throws KD_STORE_UNAVAILABLE, KD_REGISTRY_FAILED if the signal aborted while the request waited; nothing was sent then
   */
  async execute<T>(request: () => Promise<T>): Promise<T> {
    this.#closeIfIdle()
    for (;;) {
      while (this.#mustWait) await this.#waitForGate()
      const isTrial = this.#policy.state === PolicyState.Open
      const sent = this.#policy.execute(() => this.#classify(request))
      if (isTrial) this.#trial = sent.catch(() => undefined)
      try {
        return (await sent)()
      } catch (error) {
        // The circuit was open: the request was not sent.
        if (!isBrokenCircuitError(error)) throw error
      }
    }
  }

  /** True if the circuit is half open and lets requests through: the first trial succeeded, and more successes are needed. */
  get #isPassing(): boolean {
    return this.#policy.state === PolicyState.Closed && this.#trials.left > 0
  }

  /**
   * Closes the circuit of a server that gets too few requests for the required successes, such as a registry whose schemas
   * are all cached, if no request has failed since the first success for as long as the circuit would have stayed open.
   */
  #closeIfIdle(): void {
    if (!this.#isPassing || this.#context.clock.now() - this.#answeredMs < this.#context.options.openMs)
      return
    this.#trials.left = 0
    this.#updateState()
  }

  get #mustWait(): boolean {
    const { state } = this.#policy
    if (state === PolicyState.Open) return this.#context.clock.now() < this.#dueMs
    return state === PolicyState.HalfOpen
  }

  /** Resolves when the state may have changed. */
  async #waitForGate(): Promise<void> {
    const { clock, signal } = this.#context
    if (signal.aborted) throw this.#abandonedError()
    this.#gate ??= (
      this.#policy.state === PolicyState.Open
        ? clock.sleep(this.#dueMs - clock.now(), signal)
        : orAborted(this.#trial, signal)
    )
      .catch((error: unknown) => {
        throw signal.aborted ? this.#abandonedError() : error
      })
      .finally(() => (this.#gate = undefined))
    await this.#gate
  }

  /**
   * Runs a request for the policy. Answers of the server are returned, also as errors for the caller to throw; failures that
   * the policy counts, and errors that say nothing about the server, are thrown.
   */
  async #classify<T>(request: () => Promise<T>): Promise<() => T> {
    try {
      const value = await request()
      this.#answers++
      return () => value
    } catch (error) {
      const availability = serverAvailabilityOf(error)
      if (availability === 'down') this.#reason = messageOf(error).slice(0, REASON_CHARACTERS_MAX)
      if (availability !== 'answered') throw error
      this.#answers++
      return () => {
        throw error
      }
    }
  }

  /** Reports a change of state. The policy closes after one trial; the circuit stays half open until enough trials succeeded. */
  #updateState(): void {
    const { state } = this.#policy
    const isClosed = state === PolicyState.Closed && this.#trials.left === 0
    const now: CircuitState = isClosed ? 'closed' : state === PolicyState.Open ? 'open' : 'half-open'
    if (now === this.#state) return
    this.#state = now
    this.#sinceMs = this.#context.clock.now()
    this.#context.onChange(this.circuit)
  }

  #abandonedError(): PipelineError {
    const code = this.kind === 'store' ? 'KD_STORE_UNAVAILABLE' : 'KD_REGISTRY_FAILED'
    const detail = `gave up waiting because the service is stopping; the last failure was: ${this.#reason ?? 'unknown'}`
    return new PipelineError(code, detail, { circuit: this.name }, { retryable: true })
  }
}

/** Counts consecutive failures while the circuit is closed, and the successes still needed after it was open. */
class Trials implements IBreaker {
  /** Successes that are still needed. */
  left = 0
  readonly #options: CircuitOptions
  readonly #done: () => void
  #failures = 0

  constructor(options: CircuitOptions, done: () => void) {
    this.#options = options
    this.#done = done
  }

  get state(): number {
    return this.#failures
  }

  set state(failures: number) {
    this.#failures = failures
  }

  /** Starts the trials after the circuit was open. */
  begin(): void {
    this.left = this.#options.successes
  }

  success(): void {
    this.#failures = 0
    if (this.left > 0 && --this.left === 0) this.#done()
  }

  failure(): boolean {
    this.#failures++
    return this.left > 0 || this.#failures >= this.#options.failures
  }
}

/** Resolves when `promise`, which never rejects, resolves; rejects when `signal` aborts. */
async function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new Error('The wait was aborted'))
    }
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
