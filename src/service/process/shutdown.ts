import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'
import { ABRUPT_EXIT } from './exit.ts'

/** Share of the deadline during which requests still wait for a failing server. */
const WAIT_SHARE = 0.8

/**
 * Shuts the process down gracefully. The first SIGTERM or SIGINT asks everything to stop within the deadline. A
 * second signal, the deadline or an uncaught error exits at once, after one log line. No records are lost in any
 * case: the next start resumes from the table.
 */
export class GracefulShutdown {
  readonly #log: Logger
  readonly #deadlineMs: number
  readonly #stopping = new AbortController()
  readonly #stopWaiting = new AbortController()
  #timers: readonly NodeJS.Timeout[] = []

  /** Installs handlers for signals and uncaught errors, until `dispose`. */
  constructor(deadlineMs: number, log: Logger) {
    this.#deadlineMs = deadlineMs
    this.#log = log
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)
    process.on('uncaughtException', this.#onUncaught)
    process.on('unhandledRejection', this.#onUncaught)
  }

  /** Aborted when reading must stop. */
  get stopSignal(): AbortSignal {
    return this.#stopping.signal
  }

  /** Aborted at 80% of the deadline, so that requests waiting for a failing server end in time. */
  get stopWaitingSignal(): AbortSignal {
    return this.#stopWaiting.signal
  }

  /** Starts the deadline; further calls change nothing. */
  startDeadline(): void {
    if (this.#timers.length > 0) return
    const stopWaiting = (): void => this.#stopWaiting.abort(new Error('The process is stopping'))
    this.#timers = [
      setTimeout(stopWaiting, this.#deadlineMs * WAIT_SHARE),
      setTimeout(this.#onDeadline, this.#deadlineMs),
    ]
  }

  /** Removes the handlers and timers after a clean stop. */
  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    process.off('SIGTERM', this.#onSignal)
    process.off('SIGINT', this.#onSignal)
    process.off('uncaughtException', this.#onUncaught)
    process.off('unhandledRejection', this.#onUncaught)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#stopping.signal.aborted) {
      this.#log.warn({ signal }, 'Second signal: exiting at once; the next start resumes from the table')
      process.exit(ABRUPT_EXIT.forced)
    }
    this.#log.info(
      { signal, deadlineMs: this.#deadlineMs },
      'Stopping: flushing and committing everything that was read',
    )
    this.startDeadline()
    this.#stopping.abort()
  }

  readonly #onDeadline = (): void => {
    this.#log.error(
      { deadlineMs: this.#deadlineMs },
      'Shutdown deadline exceeded before everything was committed: exiting; the next start resumes from the table',
    )
    process.exit(ABRUPT_EXIT.undrained)
  }

  readonly #onUncaught = (thrown: unknown): void => {
    const fields = { err: thrown, exitCode: ABRUPT_EXIT.uncaught }
    this.#log.fatal(
      fields,
      `Uncaught error: exiting; no records are lost, the next start resumes from the table: ${messageOf(thrown)}`,
    )
    process.exit(ABRUPT_EXIT.uncaught)
  }
}
