import type { Consumer } from 'kafkajs'

/**
 * Detects when no broker has further records: the end of a log whose tail kafkajs never reports (open transactions, record
 * batches emptied by compaction). A fetch counts if it began after the last change of positions, nothing was delivered
 * until the next one began, and it either lasted nearly its whole wait (two of those suffice) or was answered immediately
 * with record batches without records (ten of those, which kafkajs requests in a loop). A quick response without batches
 * is an error and restarts the count.
 */
export class IdleDetector {
  readonly #waitMs: number
  readonly #batchBytes: { readonly min: () => number; readonly max: number }
  readonly #nodes = new Map<string, Node>()
  #deliveries = 0
  #era = 0

  /**
   * `waitMs` is the consumer's `maxWaitTimeInMs`. A response of at least `batchBytes.min` bytes contains record batches;
   * one below `batchBytes.max` was not cut off by a size limit.
   */
  constructor(waitMs: number, batchBytes: { readonly min: () => number; readonly max: number } = NO_BATCHES) {
    this.#waitMs = waitMs
    this.#batchBytes = batchBytes
  }

  /** Restarts the count: positions changed, partitions were paused, or credit was waited for. */
  restart(): void {
    this.#era += 1
    for (const node of this.#nodes.values()) node.count = 0
  }

  /** Notes that a batch was delivered, with or without records. */
  delivered(): void {
    this.#deliveries += 1
  }

  /** Notes the start of a fetch from a broker. */
  fetchStarted(nodeId: string): void {
    const node = this.#nodes.get(nodeId) ?? { count: 0, pending: undefined, weight: 0, bytes: 0 }
    this.#nodes.set(nodeId, node)
    const { pending } = node
    if (pending !== undefined) {
      const isUndisturbed = pending.era === this.#era && pending.deliveries === this.#deliveries
      node.count = isUndisturbed && node.weight > 0 ? node.count + node.weight : 0
    }
    node.pending = { era: this.#era, deliveries: this.#deliveries }
    node.weight = 0
    node.bytes = 0
  }

  /** Notes the size of a fetch response, for every broker with a fetch under way: kafkajs does not report which one answered. */
  fetchAnswered(bytes: number): void {
    for (const node of this.#nodes.values()) node.bytes = Math.max(node.bytes, bytes)
  }

  /** Notes the end of a fetch from a broker. */
  fetchEnded(nodeId: string, durationMs: number): void {
    const node = this.#nodes.get(nodeId)
    if (node === undefined) return
    const isSlow = durationMs >= this.#waitMs * SLOW_SHARE && durationMs < this.#waitMs * STUCK_SHARE
    const { min, max } = this.#batchBytes
    const isEmptied = node.bytes >= min() && node.bytes < max
    node.weight = isSlow ? SLOW_WEIGHT : isEmptied ? 1 : 0
  }

  /** True if every known broker was idle often enough. */
  get isIdle(): boolean {
    return this.#nodes.size > 0 && [...this.#nodes.values()].every((node) => node.count >= IDLE_WEIGHT_MIN)
  }

  /** True if every known broker has started a fetch since `restart`: no older batch can be delivered any more. */
  get isSettled(): boolean {
    return this.#nodes.size > 0 && [...this.#nodes.values()].every((node) => node.pending?.era === this.#era)
  }

  /** Forgets the brokers, when the consumer restarts. */
  forget(): void {
    this.#nodes.clear()
    this.#era += 1
  }
}

/** Notes the size of every fetch response of `consumer` in `detector`. */
export function observeFetchResponses(consumer: Consumer, detector: IdleDetector): void {
  consumer.on(consumer.events.REQUEST, ({ payload }) => {
    if (payload.apiName === 'Fetch') detector.fetchAnswered(payload.size)
  })
}

/**
 * Returns the minimum size of a fetch response for these partitions that contains a record batch: the fields of a Fetch
 * response, version 11 (Kafka protocol guide), and the header of one batch. Responses with errors or without batches are
 * smaller.
 */
export function emptyBatchResponseBytes(topic: string, partitions: number): number {
  return RESPONSE_BYTES + Buffer.byteLength(topic) + partitions * PARTITION_BYTES + BATCH_HEADER_BYTES
}

// correlation id 4, throttle time 4, error 2, session 4, topics 4, length of the name 2, partitions 4
const RESPONSE_BYTES = 24
// index 4, error 2, high watermark 8, last stable offset 8, log start 8, aborted 4, preferred replica 4, records 4
const PARTITION_BYTES = 42
const BATCH_HEADER_BYTES = 61

interface Node {
  count: number
  pending: { era: number; deliveries: number } | undefined
  /** Weight of the last fetch. */
  weight: number
  /** Size of the response to it. */
  bytes: number
}

const IDLE_WEIGHT_MIN = 10
const SLOW_WEIGHT = 5
const NO_BATCHES = { min: () => Infinity, max: 0 }
const SLOW_SHARE = 0.8
/** A fetch that takes many times its wait timed out or lost its connection. */
const STUCK_SHARE = 4
