const SLOTS = 60
const SLOT_MS = 1_000

/** Measures the average rate per second over the last minute, or since its start when that is more recent. */
export class Rate {
  readonly #slots = new Float64Array(SLOTS)
  readonly #startedAtMs: number
  #second: number

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs
    this.#second = Math.floor(nowMs / SLOT_MS)
  }

  add(amount: number, nowMs: number): void {
    this.#turn(nowMs)
    const slot = this.#second % SLOTS
    this.#slots[slot] = (this.#slots[slot] ?? 0) + amount
  }

  perSecond(nowMs: number): number {
    this.#turn(nowMs)
    const sum = this.#slots.reduce((total, amount) => total + amount, 0)
    const passedMs = Math.min(SLOTS * SLOT_MS, Math.max(SLOT_MS, nowMs - this.#startedAtMs))
    return (sum * 1000) / passedMs
  }

  /** Clears the slots of the seconds that have passed. */
  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / SLOT_MS)
    const passed = second - this.#second
    if (passed <= 0) return
    for (let i = 1; i <= Math.min(passed, SLOTS); i++) this.#slots[(this.#second + i) % SLOTS] = 0
    this.#second = second
  }
}
