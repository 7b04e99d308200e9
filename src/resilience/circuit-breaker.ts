import type { Circuit, CircuitState } from '../core/circuit.ts'
import type { Clock } from '../core/clock.ts'
import { type ErrorCode, messageOf, PipelineError } from '../core/errors.ts'
import { serverAvailabilityOf, type ServerAvailability } from './server-availability.ts'

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
export interface CircuitBreakerContext {
  readonly options: CircuitOptions
  readonly clock: Clock
  /** Aborted when requests must no longer wait for a server. */
  readonly signal: AbortSignal
  /** Called on every change of state. */
  readonly onChange: (circuit: Circuit) => void
  /** Classifies failed requests; by default any error by which the server seems down counts as a failure. */
  readonly availabilityOf?: (error: unknown) => ServerAvailability
}

/** Maximum length of the reason why a circuit opened, in characters. */
const REASON_CHARACTERS_MAX = 300

/**
 * Names what a circuit does with requests: `open` holds them back, `trying` waits for the trial request, `passing`
 * lets them through until enough of them succeeded, `closed` lets them through until too many fail.
 */
type Phase = 'closed' | 'open' | 'trying' | 'passing'

const STATES: Readonly<Record<Phase, CircuitState>> = {
  closed: 'closed',
  open: 'open',
  trying: 'half-open',
  passing: 'half-open',
}

/** A server that answers none of the requests that wait for it for this long is silent. */
const SILENCE_MS = 7_000
/** Bodies that are sent at less than this rate, in bytes per millisecond, do not explain the silence of a server. */
const BODY_BYTES_PER_MS = 4096
/** Longest pause between two attempts of a request after which the server still counts as silent. */
const ATTEMPT_PAUSE_MS_MAX = 10_000

/**
 * Guards the requests to one server: they wait while the circuit is open. Consecutive failures open it; after a time it
 * lets one trial request through, and consecutive successes close it.
 */
export class CircuitBreaker {
  readonly kind: 'store' | 'registry'
  readonly name: string
  readonly #context: CircuitBreakerContext
  #phase: Phase = 'closed'
  #sinceMs: number
  /** Consecutive failures. */
  #failures = 0
  /** Successes that are still needed to close the circuit. */
  #neededSuccesses = 0
  #opened = 0
  #retries = 0
  #answers = 0
  #reason: string | undefined
  #code: ErrorCode | undefined
  /** Time at which the trial request ended. */
  #triedMs = 0
  /** Time of the next trial request. */
  #dueMs = 0
  /** Attempts that the server has not answered yet. */
  #unanswered = 0
  /** Bytes of their bodies, which a server takes before it answers. */
  #unansweredBytes = 0
  /** Time since which attempts wait and the server has answered none. */
  #unansweredSinceMs: number | undefined
  /** Time at which the last attempt ended without an answer. */
  #unansweredEndMs = 0
  /** Shared by all waiting requests. */
  #gate: Promise<void> | undefined
  /** Ends the wait for the trial request. */
  #endWait = (): void => undefined

  constructor(kind: 'store' | 'registry', name: string, context: CircuitBreakerContext) {
    this.kind = kind
    this.name = name
    this.#context = context
    this.#sinceMs = context.clock.now()
  }

  /** The current state of the circuit. */
  get circuit(): Circuit {
    this.#closeIfIdle()
    const isDue = this.#phase === 'open' && this.#context.clock.now() >= this.#dueMs
    return {
      kind: this.kind,
      name: this.name,
      state: isDue ? 'half-open' : STATES[this.#phase],
      sinceMs: isDue ? this.#dueMs : this.#sinceMs,
      openedCount: this.#opened,
      retries: this.#retries,
      ...(this.#phase === 'passing' ? { isPassing: true as const } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.#code === undefined ? {} : { code: this.#code }),
      ...(this.#phase === 'open' && !isDue ? { trialAtMs: this.#dueMs } : {}),
      ...this.#silence(),
    }
  }

  /**
   * Notes that an attempt of a request with a body of `bytes` was sent, so that a server that accepts it and never answers is
   * noticed before its time-out. Returns the function to call at its end, with whether the server answered in any way.
   */
  trackAttempt(bytes = 0): (hasAnswered: boolean) => void {
    const { clock } = this.#context
    // A failure long ago says nothing about a server that was asked nothing since.
    if (!this.#isAwaited) this.#unansweredSinceMs = clock.now()
    this.#unanswered++
    this.#unansweredBytes += bytes
    this.#unansweredSinceMs ??= clock.now()
    return (hasAnswered) => {
      this.#unanswered--
      this.#unansweredBytes -= bytes
      this.#unansweredEndMs = clock.now()
      if (hasAnswered) this.#unansweredSinceMs = this.#unanswered > 0 ? this.#unansweredEndMs : undefined
    }
  }

  #silence(): Pick<Circuit, 'silentSinceMs'> {
    const nowMs = this.#context.clock.now()
    const sinceMs = this.#unansweredSinceMs
    const silenceMs = SILENCE_MS + this.#unansweredBytes / BODY_BYTES_PER_MS
    if (sinceMs === undefined || nowMs - sinceMs < silenceMs) return {}
    return this.#isAwaited ? { silentSinceMs: sinceMs } : {}
  }

  /** True while an attempt waits for an answer, and for a pause after one that got none. */
  get #isAwaited(): boolean {
    return this.#unanswered > 0 || this.#context.clock.now() - this.#unansweredEndMs < ATTEMPT_PAUSE_MS_MAX
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
    return this.#context.signal.aborted && (this.#phase === 'open' || this.#phase === 'trying')
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
    while (this.#mustWait) await this.#waitForGate()
    if (this.#phase !== 'open') return this.#send(request, false)
    this.#neededSuccesses = this.#context.options.successes
    this.#enter('trying')
    return this.#send(request, true)
  }

  /**
   * Closes the circuit of a server that gets too few requests for the required successes, such as a registry whose schemas
   * are all cached, if no request has failed since the trial for as long as the circuit would have stayed open.
   */
  #closeIfIdle(): void {
    const { clock, options } = this.#context
    if (this.#phase !== 'passing' || clock.now() - this.#triedMs < options.openMs) return
    this.#neededSuccesses = 0
    this.#enter('closed')
  }

  get #mustWait(): boolean {
    return this.#phase === 'open' ? this.#context.clock.now() < this.#dueMs : this.#phase === 'trying'
  }

  /** Resolves when the state may have changed. */
  async #waitForGate(): Promise<void> {
    const { clock, signal } = this.#context
    if (signal.aborted) throw this.#abandonedError()
    this.#gate ??= (
      this.#phase === 'open' ? clock.sleep(this.#dueMs - clock.now(), signal) : this.#waitForTrial(signal)
    )
      .catch((error: unknown) => {
        throw signal.aborted ? this.#abandonedError() : error
      })
      .finally(() => (this.#gate = undefined))
    await this.#gate
  }

  /** Resolves as soon as the trial has an outcome; rejects when `signal` aborts. */
  #waitForTrial(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        reject(new Error('The wait was aborted'))
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#endWait = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
    })
  }

  /** Sends a request and counts what its outcome says about the server; a refusal is an answer. */
  async #send<T>(request: () => Promise<T>, isTrial: boolean): Promise<T> {
    try {
      const value = await request()
      this.#succeed(isTrial)
      return value
    } catch (error) {
      const availability = (this.#context.availabilityOf ?? serverAvailabilityOf)(error)
      if (availability === 'answered') this.#succeed(isTrial)
      else if (availability === 'down') this.#fail(error)
      else if (isTrial) this.#pass()
      throw error
    }
  }

  #succeed(isTrial: boolean): void {
    this.#answers++
    this.#failures = 0
    if (this.#neededSuccesses > 0) this.#neededSuccesses--
    if (isTrial) this.#pass()
    else if (this.#phase === 'passing' && this.#neededSuccesses === 0) this.#enter('closed')
  }

  /** Lets requests through after the trial, unless a request that was sent before it has failed meanwhile. */
  #pass(): void {
    if (this.#phase !== 'trying') return
    this.#triedMs = this.#context.clock.now()
    this.#enter(this.#neededSuccesses > 0 ? 'passing' : 'closed')
  }

  #fail(error: unknown): void {
    this.#reason = messageOf(error).slice(0, REASON_CHARACTERS_MAX)
    this.#code = error instanceof PipelineError ? error.code : undefined
    this.#failures++
    if (this.#phase === 'open') return
    if (this.#phase === 'closed' && this.#failures < this.#context.options.failures) return
    this.#opened++
    this.#dueMs = this.#context.clock.now() + this.#context.options.openMs
    this.#enter('open')
  }

  #enter(phase: Phase): void {
    const isChange = STATES[phase] !== STATES[this.#phase]
    this.#phase = phase
    this.#endWait()
    if (!isChange) return
    this.#sinceMs = this.#context.clock.now()
    this.#context.onChange(this.circuit)
  }

  #abandonedError(): PipelineError {
    const code = this.kind === 'store' ? 'KD_STORE_UNAVAILABLE' : 'KD_REGISTRY_FAILED'
    const detail = `gave up waiting because the service is stopping; the last failure was: ${this.#reason ?? 'unknown'}`
    return new PipelineError(code, detail, { circuit: this.name }, { retryable: true })
  }
}
