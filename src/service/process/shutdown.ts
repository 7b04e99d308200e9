import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { ABRUPT_EXIT } from './exit.ts'

/** The part of the deadline in which a server that fails is still waited for. */
const WAIT_SHARE = 0.8

/**
 * How the process leaves: the first SIGTERM or SIGINT asks everything to end by itself within the deadline, a second one ends
 * it at once, and so does what nobody caught, after one line that says what it was. Nothing is lost by any of these.
 */
export class Leaving {
  readonly #log: Logger
  readonly #deadlineMs: number
  readonly #stopping = new AbortController()
  readonly #impatient = new AbortController()
  #timers: readonly NodeJS.Timeout[] = []

  /** Listens to signals and to errors until `release`. */
  constructor(deadlineMs: number, log: Logger) {
    this.#deadlineMs = deadlineMs
    this.#log = log
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
    process.on('uncaughtException', this.#onUncaught)
    process.on('unhandledRejection', this.#onUncaught)
  }

  /** Aborted when nothing more is to be read. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Aborted so long before the deadline that whoever waits for a server can end in time. */
  get impatient(): AbortSignal {
    return this.#impatient.signal
  }

  /** The deadline runs from now on, or since it was told first. */
  begin(): void {
    if (this.#timers.length > 0) return
    const impatient = (): void => this.#impatient.abort(new Error('The process is stopping'))
    this.#timers = [
      setTimeout(impatient, this.#deadlineMs * WAIT_SHARE),
      setTimeout(this.#onDeadline, this.#deadlineMs),
    ]
  }

  /** It has left in order. */
  release(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    process.off('uncaughtException', this.#onUncaught)
    process.off('unhandledRejection', this.#onUncaught)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#stopping.signal.aborted) {
      this.#log.warn({ signal }, 'Second signal: leaving at once; the next start resumes from the table')
      process.exit(ABRUPT_EXIT.forced)
    }
    this.#log.info(
      { signal, deadlineMs: this.#deadlineMs },
      'Stopping: flushing and committing what was read',
    )
    this.begin()
    this.#stopping.abort()
  }

  readonly #onDeadline = (): void => {
    this.#log.error(
      { deadlineMs: this.#deadlineMs },
      'Not drained within the deadline: leaving; the next start resumes from the table',
    )
    process.exit(ABRUPT_EXIT.undrained)
  }

  readonly #onUncaught = (thrown: unknown): void => {
    const fields = { err: thrown, exitCode: ABRUPT_EXIT.uncaught }
    this.#log.fatal(fields, `Uncaught, so the process ends; nothing is lost: ${messageOf(thrown)}`)
    process.exit(ABRUPT_EXIT.uncaught)
  }
}
