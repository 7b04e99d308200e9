import { Observable, type Subscriber } from 'rxjs'
import type { Batch } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { KafkaSource, PartitionStatus, SourceOptions } from '../../../src/kafka/source/source-options.ts'
import { rawBatch } from './batches.ts'

/** A topic of one partition in memory, which grows while it is read. */
export class LiveTopic {
  readonly values: (string | Uint8Array)[] = []
  #grown: (() => void)[] = []

  push(values: readonly (string | Uint8Array)[]): void {
    for (const value of values) this.values.push(value)
    for (const resolve of this.#grown.splice(0)) resolve()
  }

  /** Resolves at the next `push` or when `signal` is aborted. */
  async grown(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#grown.push(() => {
        signal.removeEventListener('abort', resolveNow)
        resolve()
      })
      const resolveNow = (): void => resolve()
      signal.addEventListener('abort', resolveNow, { once: true })
    })
  }
}

interface Position {
  readonly follows: bigint | undefined
  readonly next: number
}

/** Records of one batch at most: a fetch holds some of what there is. */
const BATCH_RECORDS_MAX = 400

/**
 * Reads a `LiveTopic` as the service reads Kafka: from where the table stands, within the byte credit, until `stop` or, with
 * `until: 'latest'`, until the end as it was at the start.
 */
export class LiveSource implements KafkaSource {
  readonly batches: Observable<Batch<Raw>>
  readonly #topic: LiveTopic
  readonly #options: SourceOptions
  readonly #batchRecordsMax: number
  readonly #stopping = new AbortController()
  #position: Position | undefined

  constructor(topic: LiveTopic, options: SourceOptions, batchRecordsMax = BATCH_RECORDS_MAX) {
    this.#topic = topic
    this.#options = options
    this.#batchRecordsMax = batchRecordsMax
    this.batches = new Observable((subscriber) => {
      const leave = new AbortController()
      this.#stopping.signal.addEventListener('abort', () => leave.abort())
      this.#read(subscriber, leave.signal).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
      return () => leave.abort()
    })
  }

  status(): readonly PartitionStatus[] {
    return []
  }

  commitOffsets(): Promise<void> {
    return Promise.resolve()
  }

  async reset(): Promise<void> {
    this.#position = undefined
    this.#position = await this.#seek()
  }

  stop(): void {
    this.#stopping.abort()
  }

  close(): Promise<void> {
    this.stop()
    return Promise.resolve()
  }

  /** Changes while others are waited for. */
  #current(): Position | undefined {
    return this.#position
  }

  async #seek(): Promise<Position> {
    const follows = await this.#options.resume(0)
    return { follows, next: follows === undefined ? 0 : Number(follows) + 1 }
  }

  async #read(subscriber: Subscriber<Batch<Raw>>, signal: AbortSignal): Promise<void> {
    const { until, credit, costBytes } = this.#options
    const end = until === 'latest' ? this.#topic.values.length : Infinity
    this.#position = await this.#seek()
    const isStopped = (): boolean => signal.aborted
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (isStopped()) return
      const position = this.#current()
      // A reset is under way.
      if (position === undefined) continue
      if (position.next >= end) return
      const values = this.#topic.values.slice(position.next, position.next + this.#batchRecordsMax)
      if (values.length === 0) {
        await this.#topic.grown(signal)
        continue
      }
      const { follows } = position
      const batch = rawBatch(values, { topic: this.#options.topic, first: BigInt(position.next), follows })
      const bytes = costBytes(batch.payload)
      try {
        await credit.take(bytes, signal)
      } catch (error) {
        if (isStopped()) return
        throw error
      }
      // A reset may have come meanwhile.
      if (this.#current() !== position) {
        credit.give(bytes)
        continue
      }
      this.#position = { follows: batch.provenance.last, next: position.next + values.length }
      subscriber.next({ ...batch, provenance: { ...batch.provenance, bytes } })
    }
  }
}
