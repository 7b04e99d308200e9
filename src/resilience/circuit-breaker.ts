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
import { verdictOf } from './verdict.ts'

/** When a circuit opens and closes. */
export interface CircuitOptions {
  /** Failures on end, of any requests to the server, that open it. */
  readonly failures: number
  /** How long it stays open before a request is let through for trial, in milliseconds. */
  readonly openMs: number
  /** Answers on end that close it again; the first failure among them opens it. */
  readonly successes: number
}

/** What a circuit needs of its surroundings. */
export interface CircuitParts {
  readonly options: CircuitOptions
  readonly clock: Clock
  /** Aborted once nobody shall wait for a server any more. */
  readonly signal: AbortSignal
  /** Told of every change of state. */
  readonly onChange: (circuit: Circuit) => void
}

/** Why a circuit opened is told at this length at most, in characters. */
const REASON_CHARACTERS_MAX = 300

/** What tells nothing of the server passes the policy by. */
const FAILURES = handleWhen((error) => verdictOf(error) === 'down')

/**
 * The circuit of one server: requests go through it, and wait while it is open. Some failures on end open it; after a
 * while one request is let through for trial, and once some have been answered on end it is closed.
 */
export class CircuitBreaker {
  readonly kind: 'store' | 'registry'
  readonly name: string
  readonly #parts: CircuitParts
  readonly #trials: Trials
  readonly #policy: CircuitBreakerPolicy
  #state: CircuitState = 'closed'
  #sinceMs: number
  #opened = 0
  #retries = 0
  #answers = 0
  #reason: string | undefined
  /** When the first trial was answered. */
  #answeredMs = 0
  /** When a request is let through for trial. */
  #dueMs = 0
  #trial: Promise<unknown> = Promise.resolve()
  /** All who wait, wait for the same. */
  #gate: Promise<void> | undefined

  constructor(kind: 'store' | 'registry', name: string, parts: CircuitParts) {
    this.kind = kind
    this.name = name
    this.#parts = parts
    this.#sinceMs = parts.clock.now()
    this.#trials = new Trials(parts.options, () => this.#look())
    // How long it stays open is measured by our clock: the policy is asked again only when that is over.
    this.#policy = circuitBreaker(FAILURES, { halfOpenAfter: 0, breaker: this.#trials })
    this.#policy.onBreak(() => {
      this.#opened++
      this.#dueMs = parts.clock.now() + parts.options.openMs
    })
    this.#policy.onHalfOpen(() => {
      this.#trials.begin()
    })
    this.#policy.onStateChange((state) => {
      if (state === PolicyState.Closed) this.#answeredMs = parts.clock.now()
      this.#look()
    })
  }

  /** How it stands now. */
  get circuit(): Circuit {
    this.#rest()
    const isDue = this.#state === 'open' && this.#parts.clock.now() >= this.#dueMs
    return {
      kind: this.kind,
      name: this.name,
      state: isDue ? 'half-open' : this.#state,
      sinceMs: isDue ? this.#dueMs : this.#sinceMs,
      opened: this.#opened,
      retries: this.#retries,
      ...(this.#isPassing ? { isPassing: true as const } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    }
  }

  /** How often it has opened. */
  get opened(): number {
    return this.#opened
  }

  /** Requests that the server has answered, be it with a refusal. */
  get answers(): number {
    return this.#answers
  }

  /** Whether nobody shall wait for the server any more, and it is one to be waited for. */
  get isGivenUp(): boolean {
    return this.#parts.signal.aborted && this.#policy.state !== PolicyState.Closed
  }

  /** Counts a request that is repeated. */
  retried(): void {
    this.#retries++
  }

  /**
   * Sends a request once, as soon as the circuit lets it through. Throws what the request throws.
   * @throws KD_STORE_UNAVAILABLE, KD_REGISTRY_FAILED once nobody shall wait any more; nothing was sent then
   */
  async through<T>(request: () => Promise<T>): Promise<T> {
    this.#rest()
    for (;;) {
      while (this.#mustWait) await this.#turn()
      const isTrial = this.#policy.state === PolicyState.Open
      const sent = this.#policy.execute(() => this.#judged(request))
      if (isTrial) this.#trial = sent.catch(() => undefined)
      try {
        return (await sent)()
      } catch (error) {
        // Then it was not sent.
        if (!isBrokenCircuitError(error)) throw error
      }
    }
  }

  /** Half open, and nobody waits: the first trial was answered, and more answers are wanted. */
  get #isPassing(): boolean {
    return this.#policy.state === PolicyState.Closed && this.#trials.left > 0
  }

  /**
   * Takes a server for working that is asked too seldom for more answers, such as a registry whose schemas are all known:
   * nothing has failed since the first answer, for as long as the circuit would have stayed open.
   */
  #rest(): void {
    if (!this.#isPassing || this.#parts.clock.now() - this.#answeredMs < this.#parts.options.openMs) return
    this.#trials.left = 0
    this.#look()
  }

  get #mustWait(): boolean {
    const { state } = this.#policy
    if (state === PolicyState.Open) return this.#parts.clock.now() < this.#dueMs
    return state === PolicyState.HalfOpen
  }

  /** Resolves when it is worth another look. */
  async #turn(): Promise<void> {
    const { clock, signal } = this.#parts
    if (signal.aborted) throw this.#givenUp()
    this.#gate ??= (
      this.#policy.state === PolicyState.Open
        ? clock.sleep(this.#dueMs - clock.now(), signal)
        : orAborted(this.#trial, signal)
    )
      .catch((error: unknown) => {
        throw signal.aborted ? this.#givenUp() : error
      })
      .finally(() => (this.#gate = undefined))
    await this.#gate
  }

  /** Answers are returned, be they errors that the caller throws; what the policy shall count is thrown, and what tells nothing. */
  async #judged<T>(request: () => Promise<T>): Promise<() => T> {
    try {
      const value = await request()
      this.#answers++
      return () => value
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict === 'down') this.#reason = messageOf(error).slice(0, REASON_CHARACTERS_MAX)
      if (verdict !== 'answered') throw error
      this.#answers++
      return () => {
        throw error
      }
    }
  }

  /** Tells of a change. The policy is content with one trial: as long as more are wanted it is no more than half open. */
  #look(): void {
    const { state } = this.#policy
    const isClosed = state === PolicyState.Closed && this.#trials.left === 0
    const now: CircuitState = isClosed ? 'closed' : state === PolicyState.Open ? 'open' : 'half-open'
    if (now === this.#state) return
    this.#state = now
    this.#sinceMs = this.#parts.clock.now()
    this.#parts.onChange(this.circuit)
  }

  #givenUp(): PipelineError {
    const code = this.kind === 'store' ? 'KD_STORE_UNAVAILABLE' : 'KD_REGISTRY_FAILED'
    const detail = `gave up waiting, since the service stops; it had failed with: ${this.#reason ?? 'nothing'}`
    return new PipelineError(code, detail, { circuit: this.name }, { retryable: true })
  }
}

/** Counts for the policy: failures on end while it is closed, and answers that are wanted after it was open. */
class Trials implements IBreaker {
  /** Answers that are still wanted. */
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

  /** The circuit was open, and the first request is let through. */
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

/** Resolves with a promise that never rejects, or rejects when `signal` aborts. */
async function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(new Error('The wait was given up'))
    }
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
