/**
 * Tells when every broker has had nothing for us twice in a row: the end of a log whose tail kafkajs never reports
 * (open transactions, record batches that compaction emptied). A fetch counts when it began after the last change of
 * positions, lasted nearly its whole wait, and nothing was delivered until the next one began.
 */
export class Quiet {
  readonly #waitMs: number
  readonly #nodes = new Map<string, Node>()
  #deliveries = 0
  #era = 0

  /** `waitMs` is the consumer's `maxWaitTimeInMs`. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs
  }

  /** Begins anew: positions changed, partitions were paused or credit was waited for. */
  restart(): void {
    this.#era += 1
    for (const node of this.#nodes.values()) node.count = 0
  }

  /** A batch was delivered, with records or without. */
  delivered(): void {
    this.#deliveries += 1
  }

  fetchStarted(nodeId: string): void {
    const node = this.#nodes.get(nodeId) ?? { count: 0, pending: undefined, slow: false }
    this.#nodes.set(nodeId, node)
    const { pending } = node
    if (pending !== undefined) {
      const honest = node.slow && pending.era === this.#era && pending.deliveries === this.#deliveries
      node.count = honest ? node.count + 1 : 0
    }
    node.pending = { era: this.#era, deliveries: this.#deliveries }
    node.slow = false
  }

  fetchEnded(nodeId: string, durationMs: number): void {
    const node = this.#nodes.get(nodeId)
    if (node !== undefined)
      node.slow = durationMs >= this.#waitMs * SLOW_SHARE && durationMs < this.#waitMs * STUCK_SHARE
  }

  /** Whether every known broker was quiet twice in a row. */
  get quiet(): boolean {
    return this.#nodes.size > 0 && [...this.#nodes.values()].every((node) => node.count >= QUIET_COUNT)
  }

  /** Whether every known broker began a fetch since `restart`: no batch fetched before it can still come. */
  get settled(): boolean {
    return this.#nodes.size > 0 && [...this.#nodes.values()].every((node) => node.pending?.era === this.#era)
  }

  /** Forgets the brokers: the consumer starts again with others. */
  forget(): void {
    this.#nodes.clear()
    this.#era += 1
  }
}

interface Node {
  count: number
  pending: { era: number; deliveries: number } | undefined
  slow: boolean
}

const QUIET_COUNT = 2
const SLOW_SHARE = 0.8
/** A fetch that takes much longer than its wait was not answered but timed out or lost its connection. */
const STUCK_SHARE = 4
