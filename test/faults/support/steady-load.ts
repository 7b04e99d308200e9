import kafkajs, { type Message } from 'kafkajs'
import type { SampleEvent } from '../../../src/sample/event.ts'
import { generateUserEvents } from '../../../src/sample/user-events.ts'

/** A load that sends to each partition by itself, so that one without a leader holds up no other. */
export interface SteadyLoad {
  /** Resolves to the offset of a record of each partition that is sent, and acknowledged, after the call. */
  acknowledged(): Promise<ReadonlyMap<number, bigint>>
  /** Sends one undecodable record to each partition. */
  sendBad(): Promise<void>
  /** Ends it; resolves to the number of acknowledged records. */
  stop(): Promise<number>
}

const PAUSE_MS = 50
const BAD_EVERY = 10

/** Starts to send `perSend` user events to each partition every 50 ms. */
export async function startSteadyLoad(
  brokers: readonly string[],
  topic: string,
  {
    partitions,
    perSend,
    seed,
  }: { readonly partitions: number; readonly perSend: number; readonly seed: number },
): Promise<SteadyLoad> {
  const client = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'steady-load',
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout: 3_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000 },
  })
  const load = new Load(client, topic, partitions, perSend, seed)
  await load.start()
  return load
}

class Load implements SteadyLoad {
  readonly #producers: kafkajs.Producer[]
  readonly #topic: string
  readonly #perSend: number
  readonly #events: Generator<SampleEvent>
  #running: Promise<unknown> = Promise.resolve()
  #isOver = false
  #sent = 0
  readonly #waiting = new Set<(partition: number, sentAtMs: number, offset: bigint) => void>()

  constructor(client: kafkajs.Kafka, topic: string, partitions: number, perSend: number, seed: number) {
    // A producer sends to one broker at a time what it was given at once: each partition has its own.
    this.#producers = Array.from({ length: partitions }, () => client.producer({ maxInFlightRequests: 1 }))
    this.#topic = topic
    this.#perSend = perSend
    this.#events = generateUserEvents({ seed, badEvery: BAD_EVERY })
  }

  async start(): Promise<void> {
    await Promise.all(this.#producers.map((producer) => producer.connect()))
    this.#running = Promise.all(this.#producers.map((_, partition) => this.#run(partition)))
  }

  acknowledged(): Promise<ReadonlyMap<number, bigint>> {
    const sinceMs = Date.now()
    const found = new Map<number, bigint>()
    return new Promise((resolve) => {
      const take = (partition: number, sentAtMs: number, offset: bigint): void => {
        if (sentAtMs < sinceMs || found.has(partition)) return
        found.set(partition, offset)
        if (found.size < this.#producers.length) return
        this.#waiting.delete(take)
        resolve(found)
      }
      this.#waiting.add(take)
    })
  }

  async sendBad(): Promise<void> {
    await Promise.all(this.#producers.map((_, partition) => this.#send(partition, [this.#next(true)])))
  }

  async stop(): Promise<number> {
    this.#isOver = true
    await this.#running
    await Promise.all(this.#producers.map((producer) => producer.disconnect()))
    return this.#sent
  }

  async #run(partition: number): Promise<void> {
    while (!this.#isOver) {
      const sentAtMs = Date.now()
      const messages = Array.from({ length: this.#perSend }, () => this.#next(false))
      const offset = await this.#send(partition, messages)
      for (const take of [...this.#waiting]) take(partition, sentAtMs, offset)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  async #send(partition: number, messages: readonly Message[]): Promise<bigint> {
    const placed = messages.map((message) => ({ ...message, partition }))
    const answer = await this.#producers[partition]?.send({ topic: this.#topic, acks: -1, messages: placed })
    this.#sent += messages.length
    return BigInt(answer?.[0]?.baseOffset ?? -1)
  }

  #next(isBad: boolean): Message {
    for (;;) {
      const { key, value, bad } = this.#events.next().value as SampleEvent
      if ((bad !== undefined) === isBad) return { key, value }
    }
  }
}
