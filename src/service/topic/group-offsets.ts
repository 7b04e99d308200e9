import { type Clock, systemClock } from '../../core/clock.ts'

/** Offsets by partition. */
type Offsets = ReadonlyMap<number, bigint>

const ASK_EVERY_MS = 10_000
/** Longest time that `read` waits for the brokers. */
const WAIT_MS_MAX = 3_000

/**
 * Reads the committed offsets of a Kafka group for one topic. Asks the brokers at most every ten seconds, with one
 * request at a time, whatever the number of callers. Each caller gets the newest known offsets after three seconds at
 * most.
 */
export class GroupOffsets {
  readonly #ask: () => Promise<Offsets>
  readonly #clock: Clock
  #known: Offsets = new Map()
  #askedAtMs = -Infinity
  #asking: Promise<void> | undefined

  constructor(ask: () => Promise<Offsets>, clock: Clock = systemClock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** Returns the newest known offsets, empty before the brokers have answered. Never rejects. */
  async read(): Promise<Offsets> {
    if (this.#asking === undefined && this.#clock.now() - this.#askedAtMs >= ASK_EVERY_MS) {
      this.#askedAtMs = this.#clock.now()
      this.#asking = this.#refresh().finally(() => (this.#asking = undefined))
    }
    if (this.#asking === undefined) return this.#known
    const answered = new AbortController()
    const late = this.#clock.sleep(WAIT_MS_MAX, answered.signal).catch(() => undefined)
    await Promise.race([this.#asking, late])
    answered.abort()
    return this.#known
  }

  /** Without an answer the known offsets stay. */
  async #refresh(): Promise<void> {
    const answer = await this.#ask().catch(() => undefined)
    if (answer !== undefined) this.#known = answer
  }
}
