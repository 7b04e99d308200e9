/** Longest blocking of the event loop that is not reported, in milliseconds. */
const BLOCKED_MS_MAX = 1_000
const CHECK_EVERY_MS = 250
const REPORT_EVERY_MS = 60_000

/** Summarizes the stalls of the event loop since the last report. */
export interface EventLoopStalls {
  /** Number of stalls. */
  readonly count: number
  /** Duration of the longest stall, in milliseconds. */
  readonly blockedMs: number
}

/** Holds the callbacks of the event loop monitor. */
interface EventLoopOptions {
  /** Called for each stall, once the loop runs again. */
  readonly onStall: (blockedMs: number) => void
  /** Called at most once a minute. */
  readonly onReport: (stalls: EventLoopStalls) => void
}

/**
 * Detects when the event loop was blocked for more than a second, which delays heartbeats and responses, by the delay of a
 * timer. A suspended process looks the same.
 */
export class EventLoopMonitor {
  readonly #options: EventLoopOptions
  #timer: NodeJS.Timeout | undefined
  #atMs: number
  #reportedAtMs = -Infinity
  #count = 0
  #longestMs = 0

  constructor(options: EventLoopOptions, nowMs: number = performance.now()) {
    this.#options = options
    this.#atMs = nowMs
  }

  start(): void {
    this.#atMs = performance.now()
    this.#timer ??= setInterval(() => this.check(performance.now()), CHECK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Checks for a stall; called every 250 ms with monotonic milliseconds, later if the loop was blocked. */
  check(nowMs: number): void {
    const blockedMs = nowMs - this.#atMs - CHECK_EVERY_MS
    this.#atMs = nowMs
    if (blockedMs > BLOCKED_MS_MAX) {
      this.#options.onStall(blockedMs)
      this.#count++
      this.#longestMs = Math.max(this.#longestMs, blockedMs)
    }
    if (this.#count === 0 || nowMs - this.#reportedAtMs < REPORT_EVERY_MS) return
    this.#options.onReport({ count: this.#count, blockedMs: Math.round(this.#longestMs) })
    this.#reportedAtMs = nowMs
    this.#count = 0
    this.#longestMs = 0
  }
}
