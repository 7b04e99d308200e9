import { Observable, type Subscriber } from 'rxjs'
import type { Batch } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'
import type { KafkaSource, PartitionStatus, SourceOptions } from '../../../src/kafka/source/source-options.ts'
import { provenanceOf, RECORDED_MS } from '../../support/flow/batches.ts'
import type { Message } from './row.ts'

/** A topic of one partition whose fetches are given, with keys and headers; it ends after the last one. */
export class BatchSource implements KafkaSource {
  readonly batches: Observable<Batch<Raw>>
  readonly #messages: readonly (readonly Message[])[]
  readonly #options: SourceOptions
  #isStopped = false

  constructor(messages: readonly (readonly Message[])[], options: SourceOptions) {
    this.#messages = messages
    this.#options = options
    this.batches = new Observable((subscriber) => {
      this.#read(subscriber).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      )
    })
  }

  status(): readonly PartitionStatus[] {
    return []
  }

  commitOffsets(): Promise<void> {
    return Promise.resolve()
  }

  reset(): Promise<void> {
    return Promise.reject(new Error('No other writer can overtake'))
  }

  stop(): void {
    this.#isStopped = true
  }

  close(): Promise<void> {
    this.stop()
    return Promise.resolve()
  }

  async #read(subscriber: Subscriber<Batch<Raw>>): Promise<void> {
    const { credit, costBytes, topic } = this.#options
    let follows: bigint | undefined
    let next = 0n
    for (const messages of this.#messages) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#isStopped) return
      const first = next
      const records = messages.map((message, index) => recordOf(message, first + BigInt(index)))
      const payload = pack(topic, 0, records, first)
      const bytes = costBytes(payload)
      await credit.take(bytes)
      const provenance = provenanceOf({ topic, follows, first, records: messages.length, bytes })
      next += BigInt(messages.length)
      follows = next - 1n
      subscriber.next({ provenance, payload })
    }
  }
}

function recordOf(message: Message, offset: bigint): Parameters<typeof pack>[2][number] {
  const isBare = message === null || typeof message === 'string' || message instanceof Uint8Array
  const { value, key, headers, timestampMs = RECORDED_MS } = isBare ? { value: message } : message
  return {
    value: bufferOf(value),
    key: bufferOf(key),
    timestamp: String(timestampMs),
    offset: String(offset),
    ...(headers === undefined ? {} : { headers }),
  }
}

function bufferOf(value: string | Uint8Array | null | undefined): Buffer | null {
  return value === null || value === undefined ? null : Buffer.from(value as string)
}
