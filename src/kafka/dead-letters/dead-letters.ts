import { context, SpanKind } from '@opentelemetry/api'
import type { Kafka, Message, Producer } from 'kafkajs'
import type { DeadLetter, OffsetRange } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { withOrdinals } from '../../core/dead-letter.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { activeTraceId, inSpan, recordRetry } from '../../core/stage/span.ts'
import { RepeatLimiter } from '../../resilience/repeat-limiter.ts'
import { createBackoff, DEFAULT_RETRY_POLICY, type RetryPolicy } from '../../resilience/retries.ts'
import { countPartitions, createTopic, readGroupOffsets } from '../client/admin.ts'
import { createKafka, type KafkaOptions, lastRefusalOf } from '../client/client.ts'
import { countTransacted, recordsOf, transactionTimeoutMs } from './letter-records.ts'
import { hasErrorType, isUnreachable, kafkaFaultOf } from '../client/faults.ts'

/** Configures a dead letter topic. */
export interface DeadLetterOptions extends KafkaOptions {
  /** Topic of the dead letters; created with the number of partitions of `sourceTopic` if it does not exist. */
  readonly topic: string
  readonly sourceTopic: string
  readonly groupId: string
  /** Id of the Delta table: a new table has a new ledger. */
  readonly tableId: string
  /**
   * Larger values are truncated in the envelope and follow in further records; default 512 KiB, so that an envelope stays
   * below Kafka's default record limit.
   */
  readonly valueBytesMax?: number
  readonly clock?: Clock
  /** Retry policy for failures while brokers answer; default: `DEFAULT_RETRY_POLICY`. */
  readonly retryPolicy?: Partial<RetryPolicy>
  /** Aborted when writes must no longer wait for brokers. */
  readonly signal?: AbortSignal | undefined
}

/** Counts the dead letters that were written, and those skipped because an earlier attempt had written them. */
export interface DeadLettersWritten {
  readonly written: number
  readonly skipped: number
}

/** Writes the dead letters of a flush before its Delta commit. */
export interface DeadLetterTopic {
  /**
   * Writes the dead letters that were not written before. `ranges` are those of the flush: afterwards every dead letter in
   * them counts as written. Waits while no broker can be reached.
   * @throws KD_DEAD_LETTERS_FAILED when the retry policy ends; KD_KAFKA_FORBIDDEN immediately if this client may not write
   */
  write(deadLetters: readonly DeadLetter[], ranges: readonly OffsetRange[]): Promise<DeadLettersWritten>
  /** Disconnects after the last `write`. */
  close(): Promise<void>
}

const VALUE_BYTES_MAX = 512 * 1024
const VALUE_BYTES_MIN = 1024
const PARTITIONS_AT_ONCE = 4
/** Maximum bytes of one produce request, below the default limit of a record batch (1 MiB). */
const REQUEST_BYTES_MAX = 900 * 1024

/**
 * Creates a dead letter topic that holds each dead letter exactly once, also if the process dies between the write and the
 * Delta commit.
 *
 * The letters of one source partition are written in a Kafka transaction together with the next source offset, as the
 * committed offset of the consumer group `<groupId>-dlq-<tableId>`: the ledger. Letters below the offset in the ledger were
 * written before and are skipped. The transactional id consists of ledger, topic and partition, and every write starts by
 * initializing it: before the ledger is read, a member that lost the partition is fenced, and the open transaction of a
 * dead process is ended. Readers must read committed records only.
 */
export function createDeadLetterTopic(options: DeadLetterOptions): DeadLetterTopic {
  return new TransactionalTopic(options)
}

type Numbered = ReturnType<typeof withOrdinals>[number]
type Transaction = Awaited<ReturnType<Producer['transaction']>>

class TransactionalTopic implements DeadLetterTopic {
  readonly #options: DeadLetterOptions
  readonly #clock: Clock
  readonly #limiter: RepeatLimiter
  readonly #ledger: string
  readonly #retryPolicy: RetryPolicy
  #opening: Promise<Kafka> | undefined
  #kafka: Kafka | undefined
  #partitions: Promise<number> | undefined
  #valueBytesMax: number
  #requestBytesMax = REQUEST_BYTES_MAX

  constructor(options: DeadLetterOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#limiter = new RepeatLimiter(this.#clock)
    this.#ledger = `${options.groupId}-dlq-${options.tableId}`
    this.#retryPolicy = { ...DEFAULT_RETRY_POLICY, ...options.retryPolicy }
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
        const count = await this.#writePartition(partition, withOrdinals(letters), last)
        written += count
      }
    }
    await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, worker))
    return { written, skipped: deadLetters.length - written }
  }

  close(): Promise<void> {
    // Every write closes its own connections.
    return Promise.resolve()
  }

  /** Returns how many letters were not in the ledger at the first read; each attempt reads the ledger again. */
  async #writePartition(
    partition: number,
    letters: readonly Numbered[],
    last: bigint | undefined,
  ): Promise<number> {
    const first: { pending?: number } = {}
    const attempts = new ConsecutiveFailures(this.#retryPolicy, this.#clock)
    for (;;) {
      const valueBytesMax = this.#valueBytesMax
      try {
        if (await this.#writeSome(partition, letters, last, first)) return first.pending ?? 0
        attempts.reset()
      } catch (error) {
        const refusal = this.#refusal(error, partition)
        if (refusal !== undefined) throw refusal
        const { topic, signal } = this.#options
        // The topic has a lower size limit than assumed: smaller parts instead of losing letters.
        const isSmaller = isTooLarge(error) && this.#shrink(valueBytesMax)
        // Unreachable brokers do not count as failures: the letters may be fine.
        if (isSmaller || isUnreachable(error)) attempts.reset()
        else attempts.countFailure()
        const fields = { topic, partition, failures: attempts.failures, error: messageOf(error) }
        this.#logRetry(isSmaller, fields)
        if (attempts.isExhausted || signal?.aborted === true)
          throw this.#failed(error, partition, attempts.failures)
        const pauseMs = isSmaller ? 0 : attempts.nextPauseMs()
        recordRetry(error, attempts.failures + 1, pauseMs)
        if (pauseMs > 0) await this.#clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    }
  }

  #logRetry(isSmaller: boolean, fields: object): void {
    const { log } = this.#options
    if (isSmaller) {
      log?.warn(
        { ...fields, valueBytesMax: this.#valueBytesMax },
        `A dead letter is larger than the topic accepts: values above ${this.#valueBytesMax} bytes are cut in their first record and follow in parts; raise max.message.bytes of the topic to keep them whole`,
      )
      return
    }
    const occurrences = this.#limiter.occurrencesIfDue('retry')
    const message = 'Dead letters were not written; the write is retried'
    if (occurrences === undefined) log?.debug(fields, message)
    else log?.warn({ ...fields, occurrences }, message)
  }

  /**
   * Initializes the transactional id, reads the ledger and writes one transaction of letters that are not in it. Returns
   * whether all letters are written.
   */
  async #writeSome(
    partition: number,
    letters: readonly Numbered[],
    last: bigint | undefined,
    first: { pending?: number },
  ): Promise<boolean> {
    const partitions = await this.#partitionCount()
    const kafka = await (this.#opening ??= createKafka(this.#options))
    this.#kafka = kafka
    const { Partitioners } = (await import('kafkajs')).default
    const producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      transactionalId: this.#transactionalId(partition),
      transactionTimeout: transactionTimeoutMs(letters),
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    try {
      // Initializes the transactional id (fences other producers); the broker starts the transaction with the first send.
      const transaction = await producer.transaction()
      const ledger = await readGroupOffsets(this.#options, this.#ledger, this.#options.sourceTopic)
      const reached = ledger.get(partition) ?? 0n
      const pending = letters.filter(({ letter }) => letter.offset >= reached)
      first.pending ??= pending.length
      const transacted = pending.slice(0, countTransacted(pending))
      const end = transacted.at(-1)?.letter.offset
      if (end === undefined) return true
      const isAll = transacted.length === pending.length
      await this.#send(transaction, transacted, partition, (isAll ? (last ?? end) : end) + 1n, partitions)
      return isAll
    } finally {
      await disconnect(producer)
    }
  }

  async #send(
    transaction: Transaction,
    letters: readonly Numbered[],
    partition: number,
    next: bigint,
    partitions: number,
  ): Promise<void> {
    const { topic } = this.#options
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': letters.length,
    }
    const sending = (): Promise<void> =>
      this.#transact(transaction, this.#requestsOf(letters, partition % partitions), partition, next)
    await inSpan(context.active(), `send ${topic}`, attributes, sending, SpanKind.PRODUCER)
  }

  async #transact(
    transaction: Transaction,
    requests: Iterable<Message[]>,
    partition: number,
    next: bigint,
  ): Promise<void> {
    const { topic, sourceTopic } = this.#options
    try {
      for (const messages of requests) await transaction.send({ topic, messages, acks: -1 })
      await transaction.sendOffsets({
        consumerGroupId: this.#ledger,
        topics: [{ topic: sourceTopic, partitions: [{ partition, offset: next.toString() }] }],
      })
      await transaction.commit()
    } catch (error) {
      // A transaction that cannot be aborted now is aborted when the next attempt initializes the transactional id.
      if (transaction.isActive()) await transaction.abort().catch(() => undefined)
      throw error
    }
  }

  /** Yields the records of the letters, divided into requests that the broker accepts. */
  *#requestsOf(letters: readonly Numbered[], partition: number): Generator<Message[]> {
    let messages: Message[] = []
    let requestBytes = 0
    for (const { letter, ordinal } of letters) {
      const options = {
        partition,
        valueBytesMax: this.#valueBytesMax,
        nowMs: this.#clock.now(),
        traceId: activeTraceId(),
      }
      for (const { message, bytes } of recordsOf(letter, ordinal, options)) {
        if (messages.length > 0 && requestBytes + bytes > this.#requestBytesMax) {
          yield messages
          messages = []
          requestBytes = 0
        }
        messages.push(message)
        requestBytes += bytes
      }
    }
    if (messages.length > 0) yield messages
  }

  /** Makes records smaller than with `failed`, the size that failed; returns false when they are as small as they may be. */
  #shrink(failed: number): boolean {
    // Another partition has come first.
    if (this.#valueBytesMax < failed) return true
    if (failed === VALUE_BYTES_MIN) return false
    this.#valueBytesMax = Math.max(VALUE_BYTES_MIN, Math.floor(this.#valueBytesMax / 4))
    this.#requestBytesMax = Math.max(VALUE_BYTES_MIN, Math.floor(this.#requestBytesMax / 4))
    return true
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
    const partitions = await countPartitions(this.#options, sourceTopic, 'Describe')
    await createTopic(this.#options, topic, { partitions })
    return countPartitions(this.#options, topic, 'Describe, Create and Write')
  }

  /** Returns the error of a permanent refusal by the brokers. */
  #refusal(error: unknown, partition: number): PipelineError | undefined {
    const { topic } = this.#options
    const transactionalId = this.#transactionalId(partition)
    const lastRefusal = this.#kafka && lastRefusalOf(this.#kafka)
    const place = { topic, isWriting: true, groupId: this.#ledger, transactionalId, lastRefusal }
    const fault = kafkaFaultOf(error, place)
    return fault?.retryable === false && fault.code.startsWith('KD_KAFKA_') ? fault : undefined
  }

  #transactionalId(partition: number): string {
    return `${this.#ledger}-${this.#options.sourceTopic}-${partition}`
  }

  #failed(error: unknown, partition: number, failures: number): PipelineError {
    return new PipelineError(
      'KD_DEAD_LETTERS_FAILED',
      `gave up after ${failures} consecutive failed attempts, the last with: ${messageOf(error)}`,
      { topic: this.#options.topic, partition },
      { cause: error },
    )
  }
}

/** Counts consecutive failures against a retry policy. */
class ConsecutiveFailures {
  failures = 0
  readonly #policy: RetryPolicy
  readonly #clock: Clock
  #sinceMs: number
  #backoff: () => number

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy
    this.#clock = clock
    this.#sinceMs = clock.now()
    this.#backoff = createBackoff(policy)
  }

  get isExhausted(): boolean {
    const { attemptsMax, deadlineMs } = this.#policy
    return (
      this.failures >= attemptsMax || (this.failures > 0 && this.#clock.now() - this.#sinceMs >= deadlineMs)
    )
  }

  reset(): void {
    this.failures = 0
    this.#sinceMs = this.#clock.now()
  }

  countFailure(): void {
    this.failures++
  }

  nextPauseMs(): number {
    return this.#backoff()
  }
}

function isTooLarge(error: unknown): boolean {
  return hasErrorType(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
}

async function disconnect(producer: Producer): Promise<void> {
  try {
    await producer.disconnect()
  } catch {
    // The connection is discarded: errors do not matter.
  }
}
