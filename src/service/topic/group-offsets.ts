import { type Clock, systemClock } from '../../core/clock.ts'

/** Offsets by partition. */
type Offsets = ReadonlyMap<number, bigint>

const ASK_EVERY_MS = 10_000
/** How long whoever asks waits for the brokers. */
const WAIT_MS_MAX = 3_000

/**
 * What a Kafka group has read of a topic, as the brokers tell it: asked at most every ten seconds however many ask, and one
 * question at a time. Who asks gets the newest answer there is after three seconds at the latest.
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

  /** Empty where the brokers have not answered yet. Never rejects. */
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

  /** Brokers that do not answer say nothing new. */
  async #refresh(): Promise<void> {
    const answer = await this.#ask().catch(() => undefined)
    if (answer !== undefined) this.#known = answer
  }
}
