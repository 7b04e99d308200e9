import { randomUUID } from 'node:crypto'
import type { InferenceConfig } from '../../../config/messages/types.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { Credit } from '../../core/credit/credit.ts'
import type { Raw } from '../../core/raw.ts'
import type { Format } from '../../formats/format.ts'
import { openFormat } from '../../formats/open/open.ts'
import type { KafkaSource, SourceOptions } from '../../kafka/source/source-options.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import type { Logger } from '../../telemetry/log.ts'
import { kafkaOptions } from '../connections/kafka-options.ts'
import { registryOf } from '../connections/registry-options.ts'

/** Some records of a topic, read without a trace in any group's offsets. */
export interface Sample {
  /** What the format made of them; numbers such as `1.0` are `Exact`. */
  readonly messages: readonly object[]
  /** Records that were read: messages, unreadable ones and tombstones. */
  readonly records: number
  readonly bytes: number
  readonly tombstones: number
  /** Of the records that the format cannot read, the first hundred. */
  readonly unreadable: readonly DeadLetter[]
  readonly unreadableCount: number
}

/** What sampling needs. */
export interface SampleParts {
  readonly config: Pick<Config, 'kafka' | 'schemaRegistry'>
  readonly topic: TopicConfig
  readonly limits: Pick<InferenceConfig, 'records' | 'bytes' | 'ageMs'>
  /** `latest` ends at the end of the topic as it is now; `stopped` waits for a first message. */
  readonly until: 'stopped' | 'latest'
  readonly source: (options: SourceOptions) => KafkaSource
  readonly log: Logger
  /** With them a registry that fails is waited for. */
  readonly circuits?: Circuits | undefined
  /** Aborting it ends the sample early. */
  readonly signal?: AbortSignal
}

const UNREADABLE_MAX = 100

/**
 * Reads from the start of a topic until a limit is reached. The records are read in a consumer group of their own, which
 * commits nothing; Kafka forgets it in its own time.
 * @throws what the source and the registry throw
 */
export async function sampleTopic(parts: SampleParts): Promise<Sample> {
  const { config, topic, limits } = parts
  const format = await openFormat(
    { ...topic, ...registryOf(config, topic, parts.circuits) },
    { schema: { type: 'struct', fields: [] }, plain: undefined, unknown: 'leave', fractions: true },
  )
  const taking = new Taking(format, limits)
  await read(parts, taking)
  return taking.sample()
}

function sourceOf({ config: { kafka }, topic, limits, until, source, log }: SampleParts): {
  source: KafkaSource
  credit: Credit
} {
  const credit = new Credit(limits.bytes)
  const made = source({
    ...kafkaOptions(kafka, log),
    groupId: `${kafka.groupId}-sample-${randomUUID().slice(0, 8)}`,
    topic: topic.topic,
    startFrom: 'earliest',
    resume: () => Promise.resolve(undefined),
    credit,
    costBytes: (raw) => raw.bytes.length + raw.keys.length,
    until,
    fetchBytesMax: kafka.fetchBytesMax,
    partitionBytesMax: kafka.fetchBytesPerPartitionMax,
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    heartbeatMs: kafka.heartbeatMs,
  })
  return { source: made, credit }
}

async function read(parts: SampleParts, taking: Taking): Promise<void> {
  const { limits, signal } = parts
  const { source, credit } = sourceOf(parts)
  const stop = (): void => source.stop()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted === true) stop()
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      let last = Promise.resolve()
      source.batches.subscribe({
        next: ({ payload, provenance }) => {
          last = last.then(async () => {
            await taking.take(payload)
            credit.give(provenance.bytes)
            if (taking.hasMessages) timer ??= setTimeout(stop, limits.ageMs)
            if (taking.isFull) stop()
          })
          last.catch((error: unknown) => {
            reject(error instanceof Error ? error : new Error(String(error)))
            stop()
          })
        },
        error: reject,
        complete: () => void last.then(resolve, () => undefined),
      })
    })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    await source.close()
  }
}

/** Collects a sample. */
class Taking {
  readonly #format: Format
  readonly #limits: SampleParts['limits']
  readonly #messages: object[] = []
  readonly #unreadable: DeadLetter[] = []
  #unreadableCount = 0
  #records = 0
  #bytes = 0
  #tombstones = 0

  constructor(format: Format, limits: SampleParts['limits']) {
    this.#format = format
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#records >= this.#limits.records || this.#bytes >= this.#limits.bytes
  }

  get hasMessages(): boolean {
    return this.#messages.length > 0
  }

  async take(raw: Raw): Promise<void> {
    if (this.isFull) return
    await this.#format.prepare?.(raw)
    const { objects, deadLetters, tombstones } = this.#format.decode(raw)
    const room = this.#limits.records - this.#messages.length
    for (const object of objects.slice(0, room))
      if (typeof object === 'object' && object !== null) this.#messages.push(object)
    this.#unreadable.push(...deadLetters.slice(0, UNREADABLE_MAX - this.#unreadable.length))
    this.#unreadableCount += deadLetters.length
    this.#records += Math.min(objects.length, room) + deadLetters.length + tombstones
    this.#bytes += raw.bytes.length
    this.#tombstones += tombstones
  }

  sample(): Sample {
    return {
      messages: this.#messages,
      records: this.#records,
      bytes: this.#bytes,
      tombstones: this.#tombstones,
      unreadable: this.#unreadable,
      unreadableCount: this.#unreadableCount,
    }
  }
}
