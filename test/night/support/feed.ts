import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Message } from 'kafkajs'
import { generateUserEvents } from '../../../src/sample/user-events.ts'
import type { SampleEvent } from '../../../src/sample/event.ts'

/** How a topic is fed; everything has a default. */
export interface FeedOptions {
  readonly partitions?: number
  /** Default: 20; 1 makes every record a dead letter. */
  readonly badEvery?: number
  /** Records of a partition every 100 ms; default 2. */
  readonly perSend?: number
  /** True to send nothing before `resume`. */
  readonly isPaused?: boolean
  /** Makes the message of an event. */
  readonly message?: (event: SampleEvent) => Pick<Message, 'key' | 'value' | 'timestamp'>
}

const EVERY_MS = 100
const FAILED_WAIT_MS = 300

/** Sends user events to every partition of a topic, through outages, until it is stopped. What has arrived is in Kafka. */
export class Feed {
  readonly #producer: kafkajs.Producer
  readonly #topic: string
  readonly #options: FeedOptions
  readonly #events: Generator<SampleEvent>
  readonly #running: Promise<void>
  #isOver = false
  #isPaused: boolean

  constructor(brokers: readonly string[], topic: string, options: FeedOptions = {}) {
    const client = new kafkajs.Kafka({
      brokers: [...brokers],
      clientId: 'night',
      logLevel: kafkajs.logLevel.NOTHING,
      requestTimeout: 2_000,
      connectionTimeout: 1_000,
      retry: { initialRetryTime: 100, maxRetryTime: 300, retries: 1 },
    })
    const createPartitioner = kafkajs.Partitioners.DefaultPartitioner
    this.#producer = client.producer({ createPartitioner })
    this.#topic = topic
    this.#options = options
    this.#isPaused = options.isPaused ?? false
    this.#events = generateUserEvents({ seed: 16, badEvery: options.badEvery ?? 20 })
    this.#running = this.#run()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** Ends it. Resolves when nothing more arrives. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
    await this.#producer.disconnect()
  }

  async #run(): Promise<void> {
    const { partitions = 2, perSend = 2 } = this.#options
    let isConnected = false
    while (!this.#isOver) {
      try {
        if (!isConnected) await this.#producer.connect()
        isConnected = true
        if (!this.#isPaused)
          await this.#producer.send({
            topic: this.#topic,
            acks: -1,
            messages: Array.from({ length: partitions * perSend }, (_, index) => ({
              ...this.#next(),
              partition: index % partitions,
            })),
          })
        await sleep(EVERY_MS)
      } catch {
        // Brokers that are gone are what the night is about.
        await sleep(FAILED_WAIT_MS)
      }
    }
  }

  #next(): Pick<Message, 'key' | 'value' | 'timestamp'> {
    const event = this.#events.next().value as SampleEvent
    return this.#options.message?.(event) ?? { key: event.key, value: event.value }
  }
}
