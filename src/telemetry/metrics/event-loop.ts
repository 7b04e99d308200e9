/** A blocked loop of which nobody need be told. */
const BLOCKED_MS_MAX = 1_000
const LOOK_EVERY_MS = 250
const TELL_EVERY_MS = 60_000

/** What is told of a loop that was blocked. */
export interface Stalls {
  /** Since it was told last. */
  readonly count: number
  /** The longest of them. */
  readonly blockedMs: number
}

/** Who is told of a blocked loop. */
export interface EventLoopOptions {
  /** Told each time, once the loop turns again. */
  readonly onStall: (blockedMs: number) => void
  /** Told at most once a minute. */
  readonly tell: (stalls: Stalls) => void
}

/**
 * Notices when the event loop was blocked for more than a second, which holds up heartbeats and answers: a timer that is
 * late says by how much. A process that was suspended looks the same.
 */
export class EventLoopWatch {
  readonly #options: EventLoopOptions
  #timer: NodeJS.Timeout | undefined
  #atMs: number
  #toldAtMs = -Infinity
  #count = 0
  #longestMs = 0

  constructor(options: EventLoopOptions, nowMs: number = performance.now()) {
    this.#options = options
    this.#atMs = nowMs
  }

  start(): void {
    this.#atMs = performance.now()
    this.#timer ??= setInterval(() => this.look(performance.now()), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Called every 250 ms, by a clock in milliseconds that never goes back; late when the loop was blocked. */
  look(nowMs: number): void {
    const blockedMs = nowMs - this.#atMs - LOOK_EVERY_MS
    this.#atMs = nowMs
    if (blockedMs > BLOCKED_MS_MAX) {
      this.#options.onStall(blockedMs)
      this.#count++
      this.#longestMs = Math.max(this.#longestMs, blockedMs)
    }
    if (this.#count === 0 || nowMs - this.#toldAtMs < TELL_EVERY_MS) return
    this.#options.tell({ count: this.#count, blockedMs: Math.round(this.#longestMs) })
    this.#toldAtMs = nowMs
    this.#count = 0
    this.#longestMs = 0
  }
}
