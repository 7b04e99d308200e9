import { randomUUID } from 'node:crypto'
import type { InferenceConfig } from '../../../config/messages/types.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { Credit } from '../../core/credit/credit.ts'
import { heldBytesOf, valueBytesOf, type Raw } from '../../core/raw.ts'
import type { Format, WriterSchema } from '../../formats/format.ts'
import { openFormat } from '../../formats/open/open.ts'
import type { KafkaSource, SourceEvent, SourceOptions } from '../../kafka/source/source-options.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import type { Logger } from '../../telemetry/log.ts'
import { kafkaOptionsOf } from '../connections/kafka-options.ts'
import { registryOptionsOf } from '../connections/registry-options.ts'

/** A sample holds records of a topic, read without committing offsets. */
export interface Sample {
  /** The messages as the format decoded them; numbers such as `1.0` are `ExactNumber`. */
  readonly messages: readonly object[]
  /** The writer's schema of each message, undefined for one that names none. */
  readonly writers: readonly (WriterSchema | undefined)[]
  /** Records read: messages, unreadable records and tombstones. */
  readonly records: number
  readonly bytes: number
  readonly tombstones: number
  /** The first hundred records that the format could not decode. */
  readonly unreadable: readonly DeadLetter[]
  readonly unreadableCount: number
}

/** Describes how a topic is sampled. */
interface TopicSampleOptions {
  readonly config: Pick<Config, 'kafka' | 'schemaRegistry'>
  readonly topic: TopicConfig
  readonly limits: Pick<InferenceConfig, 'records' | 'bytes' | 'ageMs'>
  /** `latest` stops at the present end of the topic; `stopped` waits for a first message. */
  readonly until: 'stopped' | 'latest'
  readonly source: (options: SourceOptions) => KafkaSource
  readonly log: Logger
  /** When present, a failing schema registry is waited for. */
  readonly circuits?: Circuits | undefined
  /** Aborting it ends the sample early. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Called for every event of the source. */
  readonly onEvent?: (event: SourceEvent) => void
}

const UNREADABLE_MAX = 100

/**
 * Reads from the start of a topic until a limit is reached. The sample uses a consumer group of its own that commits
 * nothing; the brokers delete the empty group.
 * @throws the errors of the source and of the schema registry
 */
export async function sampleTopic(options: TopicSampleOptions): Promise<Sample> {
  const { config, topic, limits } = options
  const format = await openFormat(
    { ...topic, ...registryOptionsOf(config, topic, options.circuits) },
    { schema: { type: 'struct', fields: [] }, plain: undefined, unknownFields: 'leave', keepFractions: true },
  )
  const collector = new SampleCollector(format, limits)
  await read(options, collector)
  return collector.sample()
}

function sourceOf({ config: { kafka }, topic, limits, until, source, log, onEvent }: TopicSampleOptions): {
  source: KafkaSource
  credit: Credit
} {
  const credit = new Credit(limits.bytes)
  const made = source({
    ...kafkaOptionsOf(kafka, log),
    groupId: `${kafka.groupId}-sample-${randomUUID().slice(0, 8)}`,
    topic: topic.topic,
    startFrom: 'earliest',
    resume: () => Promise.resolve(undefined),
    credit,
    costBytes: heldBytesOf,
    until,
    isolation: kafka.isolationLevel,
    fetchBytesMax: kafka.fetchBytesMax,
    partitionBytesMax: kafka.fetchBytesPerPartitionMax,
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    heartbeatMs: kafka.heartbeatMs,
    ...(onEvent === undefined ? {} : { onEvent }),
  })
  return { source: made, credit }
}

async function read(options: TopicSampleOptions, collector: SampleCollector): Promise<void> {
  const { limits, signal, clock = systemClock } = options
  const { source, credit } = sourceOf(options)
  const stop = (): void => source.stop()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted === true) stop()
  const over = new AbortController()
  let isTimed = false
  try {
    await new Promise<void>((resolve, reject) => {
      let last = Promise.resolve()
      source.batches.subscribe({
        next: ({ payload, provenance }) => {
          last = last.then(async () => {
            await collector.take(payload)
            credit.give(provenance.bytes)
            if (collector.hasMessages && !isTimed) {
              isTimed = true
              clock.sleep(limits.ageMs, over.signal).then(stop, () => undefined)
            }
            if (collector.isFull) stop()
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
    over.abort()
    signal?.removeEventListener('abort', stop)
    await source.close()
  }
}

/** Collects the decoded records until a limit is reached. */
class SampleCollector {
  readonly #format: Format
  readonly #limits: TopicSampleOptions['limits']
  readonly #messages: object[] = []
  readonly #writers: (WriterSchema | undefined)[] = []
  readonly #unreadable: DeadLetter[] = []
  #unreadableCount = 0
  #records = 0
  #bytes = 0
  #tombstones = 0

  constructor(format: Format, limits: TopicSampleOptions['limits']) {
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
    const { objects, writers, deadLetters, tombstones } = this.#format.decode(raw)
    const room = this.#limits.records - this.#messages.length
    for (const [index, object] of objects.slice(0, room).entries()) {
      if (typeof object !== 'object' || object === null) continue
      this.#messages.push(object)
      this.#writers.push(writers?.[index])
    }
    this.#unreadable.push(...deadLetters.slice(0, UNREADABLE_MAX - this.#unreadable.length))
    this.#unreadableCount += deadLetters.length
    this.#records += Math.min(objects.length, room) + deadLetters.length + tombstones
    this.#bytes += valueBytesOf(raw)
    this.#tombstones += tombstones
  }

  sample(): Sample {
    return {
      messages: this.#messages,
      writers: this.#writers,
      records: this.#records,
      bytes: this.#bytes,
      tombstones: this.#tombstones,
      unreadable: this.#unreadable,
      unreadableCount: this.#unreadableCount,
    }
  }
}
