import type { Consumer } from 'kafkajs'

/**
 * Tells when every broker has had nothing for us time and again: the end of a log whose tail kafkajs never reports
 * (open transactions, record batches that compaction emptied). A fetch counts when it began after the last change of
 * positions and nothing was delivered until the next one began, and when it either lasted nearly its whole wait (two of
 * those are enough) or was answered at once with record batches that hold no record (ten of those, which kafkajs asks for
 * in a loop). An answer that is quick and has no batches is an error, and begins the count anew.
 */
export class Quiet {
  readonly #waitMs: number
  readonly #batchBytes: { readonly min: () => number; readonly max: number }
  readonly #nodes = new Map<string, Node>()
  #deliveries = 0
  #era = 0

  /**
   * `waitMs` is the consumer's `maxWaitTimeInMs`. An answer of at least `batchBytes.min` bytes has record batches in it;
   * one below `batchBytes.max` has all that there are.
   */
  constructor(waitMs: number, batchBytes: { readonly min: () => number; readonly max: number } = NO_BATCHES) {
    this.#waitMs = waitMs
    this.#batchBytes = batchBytes
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
    const node = this.#nodes.get(nodeId) ?? { count: 0, pending: undefined, weight: 0, bytes: 0 }
    this.#nodes.set(nodeId, node)
    const { pending } = node
    if (pending !== undefined) {
      const honest = pending.era === this.#era && pending.deliveries === this.#deliveries
      node.count = honest && node.weight > 0 ? node.count + node.weight : 0
    }
    node.pending = { era: this.#era, deliveries: this.#deliveries }
    node.weight = 0
    node.bytes = 0
  }

  /** A fetch was answered. kafkajs does not tell by whom, so it counts for every broker that is being asked. */
  fetchAnswered(bytes: number): void {
    for (const node of this.#nodes.values()) node.bytes = Math.max(node.bytes, bytes)
  }

  fetchEnded(nodeId: string, durationMs: number): void {
    const node = this.#nodes.get(nodeId)
    if (node === undefined) return
    const isSlow = durationMs >= this.#waitMs * SLOW_SHARE && durationMs < this.#waitMs * STUCK_SHARE
    const { min, max } = this.#batchBytes
    const isEmptied = node.bytes >= min() && node.bytes < max
    node.weight = isSlow ? SLOW_WEIGHT : isEmptied ? 1 : 0
  }

  /** Whether every known broker was quiet often enough. */
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

/** Tells `quiet` the size of every answer to a fetch of `consumer`. */
export function hearAnswers(consumer: Consumer, quiet: Quiet): void {
  consumer.on(consumer.events.REQUEST, ({ payload }) => {
    if (payload.apiName === 'Fetch') quiet.fetchAnswered(payload.size)
  })
}

/**
 * The least size of an answer to a fetch of these partitions that holds a record batch: the fields of a Fetch response,
 * version 11, by Kafka's protocol guide, and the header of one batch. An answer with errors, or with nothing, is smaller.
 */
export function emptiedAnswerBytes(topic: string, partitions: number): number {
  return ANSWER_BYTES + Buffer.byteLength(topic) + partitions * PARTITION_BYTES + BATCH_HEADER_BYTES
}

// correlation id 4, throttle time 4, error 2, session 4, topics 4, length of the name 2, partitions 4
const ANSWER_BYTES = 24
// index 4, error 2, high watermark 8, last stable offset 8, log start 8, aborted 4, preferred replica 4, records 4
const PARTITION_BYTES = 42
const BATCH_HEADER_BYTES = 61

interface Node {
  count: number
  pending: { era: number; deliveries: number } | undefined
  /** What the last fetch counts. */
  weight: number
  /** Size of the answer to it. */
  bytes: number
}

const QUIET_COUNT = 10
const SLOW_WEIGHT = 5
const NO_BATCHES = { min: () => Infinity, max: 0 }
const SLOW_SHARE = 0.8
/** A fetch that takes much longer than its wait was not answered but timed out or lost its connection. */
const STUCK_SHARE = 4
