import { Observable, type Subscriber } from 'rxjs'
import type { Batch, OffsetRange } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { KafkaSource, PartitionStatus, SourceOptions } from '../../../src/kafka/source/source-options.ts'
import { rawBatch } from './batches.ts'
import type { LiveTopic } from './live-source.ts'

const BATCH_RECORDS_MAX = 20

/** A source of one partition in memory that reports its position, and fails when it is told to. */
export class ScriptedSource implements KafkaSource {
  readonly batches: Observable<Batch<Raw>>
  /** Thrown by `close`, once everything is closed. */
  closeError: Error | undefined
  isClosed = false
  readonly #topic: LiveTopic
  readonly #options: SourceOptions
  readonly #ending = new AbortController()
  #subscriber: Subscriber<Batch<Raw>> | undefined
  #next: number | undefined
  #follows: bigint | undefined
  #committed: bigint | undefined
  #failure: Error | undefined

  constructor(topic: LiveTopic, options: SourceOptions) {
    this.#topic = topic
    this.#options = options
    this.batches = new Observable((subscriber) => {
      this.#subscriber = subscriber
      if (this.#failure !== undefined) subscriber.error(this.#failure)
      else if (this.#isEnding()) subscriber.complete()
      else this.#read(subscriber).catch((error: unknown) => subscriber.error(error))
      return () => this.#ending.abort()
    })
  }

  status(): readonly PartitionStatus[] {
    const end = BigInt(this.#topic.values.length)
    const live = this.#next !== undefined
    return [{ partition: 0, live, next: BigInt(this.#next ?? 0), committed: this.#committed, end }]
  }

  commitOffsets(ranges: readonly OffsetRange[]): Promise<void> {
    for (const { last } of ranges) this.#committed = last
    return Promise.resolve()
  }

  async reset(): Promise<void> {
    this.#next = undefined
    await this.#locate()
  }

  /** Ends `batches` with an error, as a source does that cannot continue. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#ending.abort()
    this.#subscriber?.error(error)
  }

  stop(): void {
    this.#ending.abort()
    this.#subscriber?.complete()
  }

  close(): Promise<void> {
    this.stop()
    this.isClosed = true
    return this.closeError === undefined ? Promise.resolve() : Promise.reject(this.closeError)
  }

  async #locate(): Promise<void> {
    this.#committed = this.#follows = await this.#options.resume(0)
    this.#next = this.#follows === undefined ? 0 : Number(this.#follows) + 1
    const position = { partition: 0, next: BigInt(this.#next), follows: this.#follows }
    this.#options.onEvent?.({ kind: 'positioned', ...position })
  }

  async #read(subscriber: Subscriber<Batch<Raw>>): Promise<void> {
    const { signal } = this.#ending
    const { credit, costBytes, topic } = this.#options
    this.#options.onEvent?.({ kind: 'assigned', partitions: [0] })
    await this.#locate()
    while (!signal.aborted) {
      const first = this.#next ?? 0
      const values = this.#topic.values.slice(first, first + BATCH_RECORDS_MAX)
      if (values.length === 0) {
        await this.#topic.grown(signal)
        continue
      }
      const batch = rawBatch(values, { topic, first: BigInt(first), follows: this.#follows })
      const bytes = costBytes(batch.payload)
      try {
        await credit.take(bytes, signal)
      } catch {
        return
      }
      if (this.#isEnding()) {
        credit.give(bytes)
        return
      }
      this.#next = first + values.length
      this.#follows = batch.provenance.last
      subscriber.next({ ...batch, provenance: { ...batch.provenance, bytes } })
    }
  }

  /** Changes while credit is waited for. */
  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }
}
