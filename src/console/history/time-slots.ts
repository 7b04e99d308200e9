/** Length of a slot. */
export const SLOT_MS = 5_000
const SLOTS = 36

/**
 * Adds up how long something lasted, in slots of five seconds for the last three minutes. A slot holds no more time than has
 * passed in it, so that intervals which overlap count once where it matters.
 */
export class TimeSlots {
  readonly #ms = new Float32Array(SLOTS)
  #newest = -Infinity

  /** Adds an interval, in milliseconds since the epoch. Parts older than three minutes are left out. */
  add(startMs: number, endMs: number): void {
    if (!(endMs > startMs)) return
    this.#turn(Math.floor(endMs / SLOT_MS))
    const oldest = Math.max(Math.floor(startMs / SLOT_MS), this.#newest - SLOTS + 1)
    for (let slot = oldest; slot * SLOT_MS < endMs; slot++) {
      const from = Math.max(startMs, slot * SLOT_MS)
      const to = Math.min(endMs, (slot + 1) * SLOT_MS)
      this.#ms[slot % SLOTS] = Math.min(SLOT_MS, (this.#ms[slot % SLOTS] as number) + to - from)
    }
  }

  /** Returns the time within the slots from that of `fromMs` to that of `toMs`. */
  sum(fromMs: number, toMs: number): number {
    const last = Math.min(this.#newest, Math.floor(toMs / SLOT_MS))
    let sum = 0
    for (let slot = Math.max(Math.floor(fromMs / SLOT_MS), this.#newest - SLOTS + 1); slot <= last; slot++)
      sum += this.#ms[slot % SLOTS] as number
    return sum
  }

  /** Clears the slots between the newest one and this one. */
  #turn(slot: number): void {
    if (slot <= this.#newest) return
    for (let each = Math.max(this.#newest + 1, slot - SLOTS + 1); each <= slot; each++)
      this.#ms[each % SLOTS] = 0
    this.#newest = slot
  }
}
