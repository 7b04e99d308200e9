import { context, SpanKind } from '@opentelemetry/api'
import kafkajs from 'kafkajs'
import type { Kafka, Message, Producer } from 'kafkajs'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { numbered } from '../../core/dead-letter.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { activeTraceId, inSpan, noteRetry } from '../../core/stage/span.ts'
import { pausesOf, RETRY, type RetryPatience } from '../../resilience/retries.ts'
import { createTopic, endOffsets, groupOffsets } from '../client/admin.ts'
import { createKafka, type KafkaOptions, refusalHeard } from '../client/client.ts'
import { deadLetterKey, envelopeOf, TRACE_ID_HEADER } from './dead-letter-envelope.ts'
import { isOfType, isUnreachable, kafkaFault } from '../client/faults.ts'

/** Where dead letters go. */
export interface DeadLetterOptions extends KafkaOptions {
  /** The topic of the dead letters; created with as many partitions as `sourceTopic` where it is absent. */
  readonly topic: string
  readonly sourceTopic: string
  readonly groupId: string
  /** The Delta table's own id: a new table has a new ledger. */
  readonly tableId: string
  /** Larger values are cut in the envelope; default 512 KiB, so that an envelope stays below Kafka's default record limit. */
  readonly valueBytesMax?: number
  readonly clock?: Clock
  /** How hard is tried while brokers answer; see `RETRY` for the defaults. */
  readonly patience?: Partial<RetryPatience>
  /** Aborted once nobody shall wait for brokers any more. */
  readonly signal?: AbortSignal | undefined
}

/** How many dead letters were written now, and how many had been written before a crash. */
export interface DeadLettersWritten {
  readonly written: number
  readonly skipped: number
}

/** Writes the dead letters of a flush before its Delta commit. */
export interface DeadLetterTopic {
  /**
   * Writes those dead letters that were not written before. `ranges` are the flush's own: afterwards every dead letter in
   * them counts as written.
   * Waits as long as no broker can be reached.
   * @throws KD_DEAD_LETTERS_FAILED after some attempts; KD_KAFKA_FORBIDDEN at once when this client may not write there.
   */
  write(deadLetters: readonly DeadLetter[], ranges: readonly OffsetRange[]): Promise<DeadLettersWritten>
  /** Disconnects; after the last `write`. */
  close(): Promise<void>
}

const VALUE_BYTES_MAX = 512 * 1024
const VALUE_BYTES_MIN = 1024
const PARTITIONS_AT_ONCE = 4
/** Of one produce request, below the default limit of a record batch (1 MiB) with its envelope's growth. */
const REQUEST_BYTES_MAX = 900 * 1024
const RECORD_OVERHEAD_BYTES = 100
/** Of one transaction, so that it ends well before its time-out. */
const TRANSACTION_BYTES_MAX = 8 * 1024 * 1024
/** A dead process's open transaction blocks readers of committed dead letters for no longer. */
const TRANSACTION_TIMEOUT_MS = 15_000

/**
 * A Kafka topic that holds each dead letter exactly once, also when the process dies between here and the Delta commit.
 *
 * The letters of one source partition are written in a Kafka transaction together with the offset that they reach, under
 * the consumer group `<groupId>-dlq-<tableId>`: the ledger. Letters below the ledger's offset were written before and are
 * skipped. The transactional id is the ledger's and the partition's, and every write begins by claiming it. So a member
 * that lost the partition is fenced from writing, and whatever a dead process left open is settled, before the ledger is
 * read. Readers must read committed records only.
 */
export function createDeadLetterTopic(options: DeadLetterOptions): DeadLetterTopic {
  return new TransactionalTopic(options)
}

type Numbered = ReturnType<typeof numbered>[number]
type Transaction = Awaited<ReturnType<Producer['transaction']>>

class TransactionalTopic implements DeadLetterTopic {
  readonly #options: DeadLetterOptions
  readonly #clock: Clock
  readonly #kafka: Kafka
  readonly #ledger: string
  readonly #patience: RetryPatience
  #partitions: Promise<number> | undefined
  #valueBytesMax: number
  #requestBytesMax = REQUEST_BYTES_MAX

  constructor(options: DeadLetterOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#kafka = createKafka(options)
    this.#ledger = `${options.groupId}-dlq-${options.tableId}`
    this.#patience = { ...RETRY, ...options.patience }
    this.#valueBytesMax = options.valueBytesMax ?? VALUE_BYTES_MAX
  }

  async write(
    deadLetters: readonly DeadLetter[],
    ranges: readonly OffsetRange[],
  ): Promise<DeadLettersWritten> {
    const byPartition = new Map<number, DeadLetter[]>()
    for (const letter of deadLetters) {
      const letters = byPartition.get(letter.partition)
      if (letters === undefined) byPartition.set(letter.partition, [letter])
      else letters.push(letter)
    }
    const todo = [...byPartition]
    let written = 0
    const worker = async (): Promise<void> => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const [partition, letters] = next
        const last = ranges.find((range) => range.partition === partition)?.last
        // Added in one step: workers take turns at every await.
        const count = await this.#writePartition(partition, numbered(letters), last)
        written += count
      }
    }
    await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, worker))
    return { written, skipped: deadLetters.length - written }
  }

  close(): Promise<void> {
    // Every write ends its own connections.
    return Promise.resolve()
  }

  /** Returns how many were not in the ledger at the first look: what an attempt left unclear, the next one's look settles. */
  async #writePartition(
    partition: number,
    letters: readonly Numbered[],
    last: bigint | undefined,
  ): Promise<number> {
    const first: { pending?: number } = {}
    const tries = new Tries(this.#patience, this.#clock)
    for (;;) {
      try {
        if (await this.#writeSome(partition, letters, last, first)) return first.pending ?? 0
        tries.begin()
      } catch (error) {
        const refusal = this.#refusal(error, partition)
        if (refusal !== undefined) throw refusal
        const { log, topic, signal } = this.#options
        // As long as no broker can be reached there is nothing wrong with the letters.
        if (isUnreachable(error)) tries.begin()
        else tries.failed()
        const fields = { topic, partition, failures: tries.failures, error: messageOf(error) }
        log?.warn(fields, 'Dead letters were not written, trying again')
        if (tries.areOver || signal?.aborted === true) throw this.#failed(error, partition, tries.failures)
        // The topic takes less than we thought: smaller values, then, rather than none.
        const isSmaller = isTooLarge(error)
        if (isSmaller) this.#shrink()
        const pauseMs = isSmaller ? 0 : tries.pauseMs()
        noteRetry(error, tries.failures + 1, pauseMs)
        if (pauseMs > 0) await this.#clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    }
  }

  /** Claims the partition, reads the ledger and writes one transaction of what it does not cover. Says whether that was all. */
  async #writeSome(
    partition: number,
    letters: readonly Numbered[],
    last: bigint | undefined,
    first: { pending?: number },
  ): Promise<boolean> {
    const partitions = await this.#partitionCount()
    const producer = this.#kafka.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      transactionalId: this.#transactionalId(partition),
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    try {
      // Claims the transactional id; the broker knows of no transaction until something is sent.
      const transaction = await producer.transaction()
      const ledger = await groupOffsets(this.#options, this.#ledger, this.#options.sourceTopic)
      const reached = ledger.get(partition) ?? 0n
      const pending = letters.filter(({ letter }) => letter.offset >= reached)
      first.pending ??= pending.length
      const { sends, count, end } = this.#transactionOf(pending, partition % partitions)
      if (end === undefined) return true
      const isAll = count === pending.length
      await this.#send(transaction, sends, partition, (isAll ? (last ?? end) : end) + 1n)
      return isAll
    } finally {
      await disconnect(producer)
    }
  }

  async #send(
    transaction: Transaction,
    sends: readonly Message[][],
    partition: number,
    next: bigint,
  ): Promise<void> {
    const { topic } = this.#options
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': sends.reduce((sum, messages) => sum + messages.length, 0),
    }
    const sending = (): Promise<void> => this.#transact(transaction, sends, partition, next)
    await inSpan(context.active(), `send ${topic}`, attributes, sending, SpanKind.PRODUCER)
  }

  async #transact(
    transaction: Transaction,
    sends: readonly Message[][],
    partition: number,
    next: bigint,
  ): Promise<void> {
    const { topic, sourceTopic } = this.#options
    try {
      for (const messages of sends) await transaction.send({ topic, messages, acks: -1 })
      await transaction.sendOffsets({
        consumerGroupId: this.#ledger,
        topics: [{ topic: sourceTopic, partitions: [{ partition, offset: next.toString() }] }],
      })
      await transaction.commit()
    } catch (error) {
      // What cannot be aborted now is aborted when the next attempt claims the transactional id.
      if (transaction.isActive()) await transaction.abort().catch(() => undefined)
      throw error
    }
  }

  /** The first letters as far as one transaction goes, in requests that the broker takes. */
  #transactionOf(
    letters: readonly Numbered[],
    partition: number,
  ): { sends: Message[][]; count: number; end: bigint | undefined } {
    const sends: Message[][] = []
    let requestBytes = Infinity
    let allBytes = 0
    let count = 0
    for (const each of letters) {
      const { message, bytes } = this.#messageOf(each, partition)
      // Letters of one message share an offset, which the ledger passes as a whole.
      if (each.ordinal === 0 && count > 0 && allBytes + bytes > TRANSACTION_BYTES_MAX) break
      if (requestBytes + bytes > this.#requestBytesMax) {
        sends.push([])
        requestBytes = 0
      }
      sends.at(-1)?.push(message)
      requestBytes += bytes
      allBytes += bytes
      count += 1
    }
    return { sends, count, end: letters[count - 1]?.letter.offset }
  }

  #messageOf({ letter, ordinal }: Numbered, partition: number): { message: Message; bytes: number } {
    const key = Buffer.from(deadLetterKey(letter))
    const value = Buffer.from(envelopeOf(letter, ordinal, this.#valueBytesMax, this.#clock.now()))
    const headers = carriedHeaders(letter.headers, this.#valueBytesMax / 4)
    const traceId = activeTraceId()
    const all = traceId === undefined ? headers?.carried : { ...headers?.carried, [TRACE_ID_HEADER]: traceId }
    const message = { partition, key, value, ...(all === undefined ? {} : { headers: all }) }
    return { message, bytes: key.length + value.length + (headers?.bytes ?? 0) + RECORD_OVERHEAD_BYTES }
  }

  #shrink(): void {
    this.#valueBytesMax = Math.max(VALUE_BYTES_MIN, Math.floor(this.#valueBytesMax / 4))
    this.#requestBytesMax = Math.max(VALUE_BYTES_MIN, Math.floor(this.#requestBytesMax / 4))
  }

  #partitionCount(): Promise<number> {
    this.#partitions ??= this.#ensureTopic().catch((error: unknown) => {
      this.#partitions = undefined
      throw error
    })
    return this.#partitions
  }

  async #ensureTopic(): Promise<number> {
    const { topic, sourceTopic } = this.#options
    const source = await endOffsets(this.#options, sourceTopic)
    await createTopic(this.#options, topic, { partitions: source.size })
    return (await endOffsets(this.#options, topic)).size
  }

  /** What brokers refuse however often they are asked. */
  #refusal(error: unknown, partition: number): PipelineError | undefined {
    const { topic } = this.#options
    const transactionalId = this.#transactionalId(partition)
    const heard = refusalHeard(this.#kafka)
    const place = { topic, isWriting: true, groupId: this.#ledger, transactionalId, heard }
    const fault = kafkaFault(error, place)
    return fault?.retryable === false && fault.code.startsWith('KD_KAFKA_') ? fault : undefined
  }

  #transactionalId(partition: number): string {
    return `${this.#ledger}-${this.#options.sourceTopic}-${partition}`
  }

  #failed(error: unknown, partition: number, failures: number): PipelineError {
    return new PipelineError(
      'KD_DEAD_LETTERS_FAILED',
      `gave up after ${failures} attempts on end, got: ${messageOf(error)}`,
      { topic: this.#options.topic, partition },
      { cause: error },
    )
  }
}

/** Failures on end, until they are too many or last too long. */
class Tries {
  failures = 0
  readonly #patience: RetryPatience
  readonly #clock: Clock
  #sinceMs: number
  #pause: () => number

  constructor(patience: RetryPatience, clock: Clock) {
    this.#patience = patience
    this.#clock = clock
    this.#sinceMs = clock.now()
    this.#pause = pausesOf(patience)
  }

  get areOver(): boolean {
    const { attemptsMax, deadlineMs } = this.#patience
    return (
      this.failures >= attemptsMax || (this.failures > 0 && this.#clock.now() - this.#sinceMs >= deadlineMs)
    )
  }

  begin(): void {
    this.failures = 0
    this.#sinceMs = this.#clock.now()
  }

  failed(): void {
    this.failures++
  }

  pauseMs(): number {
    return this.#pause()
  }
}

/** The original headers, left out where they alone are above `bytesMax`. */
function carriedHeaders(
  headers: DeadLetter['headers'],
  bytesMax: number,
): { carried: NonNullable<Message['headers']>; bytes: number } | undefined {
  if (headers === undefined) return undefined
  const entries = Object.entries(headers).map(([name, value]) => {
    const values = value instanceof Uint8Array ? [value] : value
    return [name, values.map((one) => Buffer.from(one))] as const
  })
  const bytes = entries.reduce((sum, [name, values]) => sum + sizeOf(name, values), 0)
  return bytes > bytesMax ? undefined : { carried: Object.fromEntries(entries), bytes }
}

function sizeOf(name: string, values: readonly Buffer[]): number {
  return values.reduce((sum, value) => sum + Buffer.byteLength(name) + value.length + 10, 0)
}

function isTooLarge(error: unknown): boolean {
  return isOfType(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
}

async function disconnect(producer: Producer): Promise<void> {
  try {
    await producer.disconnect()
  } catch {
    // The connection is being given up: how it ends does not matter.
  }
}
