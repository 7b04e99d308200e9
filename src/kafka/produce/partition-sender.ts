import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { backoffMs, type BackoffOptions } from '../../resilience/backoff.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import type { Cluster } from '../wire/cluster.ts'
import { BROKER_ERRORS, errorNameOf, isRetriable } from '../wire/error-codes.ts'
import { sealBatch, type ProducerIdentity } from './record-batch.ts'

/** Limits the batches in flight: brokers recognize the last five batches of a producer that are sent again. */
const IN_FLIGHT_MAX = 5
/** Time for the in-sync replicas to store a batch, in milliseconds. */
const STORE_MS_MAX = 30_000
/** Time after the first failure in which a batch is sent again, in milliseconds: enough for a broker to restart. */
const RETRY_MS_MAX = 60_000
/** Newest version of Produce that names topics. */
const VERSION_MAX = 12
const ALL_REPLICAS = -1
/** Sequence numbers start again from 0 after this one. */
const SEQUENCE_MAX = 0x7fff_ffff

const DUPLICATE = BROKER_ERRORS.DUPLICATE_SEQUENCE_NUMBER.code
/** The broker has lost what it knew of the producer, so the batch is sent under a new identity. */
const LOST_IDENTITY: readonly number[] = [
  BROKER_ERRORS.OUT_OF_ORDER_SEQUENCE_NUMBER.code,
  BROKER_ERRORS.UNKNOWN_PRODUCER_ID.code,
  BROKER_ERRORS.INVALID_PRODUCER_ID_MAPPING.code,
  BROKER_ERRORS.INVALID_PRODUCER_EPOCH.code,
]

/** Names the partition that batches go to, and the means to reach it. */
interface PartitionSenderOptions {
  readonly topic: string
  readonly partition: number
  readonly cluster: Pick<Cluster, 'metadata' | 'broker' | 'learnLeader'>
  readonly clock: Clock
  readonly backoff: BackoffOptions
}

/** Represents a refusal of the brokers by the name of its error code. */
export class BrokerRefusal extends Error {
  readonly type: string

  constructor(code: number, detail: string | null) {
    super(detail === null ? errorNameOf(code) : `${errorNameOf(code)}: ${detail}`)
    this.name = 'BrokerRefusal'
    this.type = errorNameOf(code)
  }
}

interface Sending {
  readonly batch: Buffer
  readonly count: number
  readonly order: number
  /** Sequence number of the first record; `undefined` until the batch has an identity. */
  sequence: number | undefined
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Failure {
  readonly sending: Sending
  readonly error: Error
  /** Error code of the broker; 0 when there was no response. */
  readonly code: number
}

/**
 * Sends record batches to one partition: up to five in flight, in order. Each batch is stored once: the broker recognizes
 * batches that are sent again by their sequence numbers. After a failure nothing more is sent until all batches in flight
 * have settled; then the failed ones are sent again in their order, for up to a minute after the first failure.
 */
export class PartitionSender {
  readonly #options: PartitionSenderOptions
  #queue: Sending[] = []
  readonly #inFlight = new Set<Sending>()
  #failures: Failure[] = []
  #order = 0
  #identity: ProducerIdentity | undefined
  #nextSequence = 0
  #connection: BrokerConnection | undefined
  #isPreparing = false
  #attempts = 0
  #failedSinceMs: number | undefined
  #fault: Error | undefined

  constructor(options: PartitionSenderOptions) {
    this.#options = options
  }

  /**
   * Sends a batch that `RecordBatchWriter.finish` returned and resolves when the in-sync replicas have stored it.
   * @throws the last error of the brokers if it is permanent or a minute has passed
   */
  send(batch: Buffer, count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) throw this.#fault
      this.#queue.push({ batch, count, order: this.#order++, sequence: undefined, resolve, reject })
      this.#advance()
    })
  }

  /** Rejects all batches that are not stored yet. */
  close(error: Error): void {
    this.#end(error)
  }

  #advance(): void {
    if (this.#isPreparing || this.#fault !== undefined) return
    const isSettled = this.#inFlight.size === 0
    if (this.#failures.length > 0) {
      if (isSettled) void this.#recover()
      return
    }
    if (this.#queue.length === 0) return
    const connection = this.#connection
    const identity = this.#identity
    if (connection?.isOpen !== true || identity === undefined) {
      if (isSettled) void this.#prepare(false)
      return
    }
    while (this.#inFlight.size < IN_FLIGHT_MAX) {
      const sending = this.#queue.shift()
      if (sending === undefined) break
      if (sending.sequence === undefined) {
        sending.sequence = this.#nextSequence
        this.#nextSequence = sequenceAfter(this.#nextSequence, sending.count)
        sealBatch(sending.batch, identity, sending.sequence)
      }
      this.#inFlight.add(sending)
      void this.#transmit(connection, sending)
    }
  }

  async #transmit(connection: BrokerConnection, sending: Sending): Promise<void> {
    const { topic, partition } = this.#options
    let failure: Failure | undefined
    try {
      const { responses } = await connection.request(
        'Produce',
        {
          acks: ALL_REPLICAS,
          timeoutMs: STORE_MS_MAX,
          topicData: [{ name: topic, partitionData: [{ index: partition, records: sending.batch }] }],
        },
        { timeoutMs: 2 * STORE_MS_MAX, versionMax: VERSION_MAX },
      )
      const answer = responses[0]?.partitionResponses[0]
      const { errorCode = BROKER_ERRORS.UNKNOWN_SERVER_ERROR.code, errorMessage = null } = answer ?? {}
      if (errorCode !== 0 && errorCode !== DUPLICATE)
        failure = { sending, error: new BrokerRefusal(errorCode, errorMessage), code: errorCode }
    } catch (error) {
      failure = { sending, error: error as Error, code: 0 }
    }
    this.#inFlight.delete(sending)
    if (failure === undefined) {
      sending.resolve()
      this.#attempts = 0
      if (this.#failures.length === 0) this.#failedSinceMs = undefined
    } else if (isTransient(failure)) this.#failures.push(failure)
    else {
      sending.reject(failure.error)
      this.#end(failure.error)
    }
    this.#advance()
  }

  /** Puts the failed batches back in front and looks for the leader again. */
  async #recover(): Promise<void> {
    const failures = this.#failures.sort((a, b) => a.sending.order - b.sending.order)
    this.#failures = []
    const again = failures.map(({ sending }) => sending)
    this.#queue = [...again, ...this.#queue]
    const first = failures[0] as Failure
    // Only for the first of them: the others are out of order because it failed.
    if (LOST_IDENTITY.includes(first.code)) {
      this.#identity = undefined
      for (const sending of again) sending.sequence = undefined
    }
    this.#connection = undefined
    this.#isPreparing = true
    const isOver = await this.#failed(first.error)
    this.#isPreparing = false
    if (!isOver) await this.#prepare(true)
  }

  /** Finds the leader of the partition and gets an identity; retries both. */
  async #prepare(isStale: boolean): Promise<void> {
    this.#isPreparing = true
    let refresh = isStale
    while (this.#fault === undefined) {
      try {
        const connection = await this.#leader(refresh)
        this.#identity ??= await this.#newIdentity(connection)
        this.#connection = connection
        break
      } catch (error) {
        refresh = true
        if (await this.#failed(error as Error)) break
      }
    }
    this.#isPreparing = false
    this.#advance()
  }

  async #leader(refresh: boolean): Promise<BrokerConnection> {
    const { topic, partition, cluster } = this.#options
    const { topics } = await cluster.metadata([topic], { refresh })
    const found = topics.get(topic)
    const place = found?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
    const code = found?.errorCode === 0 ? place?.errorCode : found?.errorCode
    if (place === undefined || place.leaderId < 0)
      throw new BrokerRefusal(
        code === undefined || code === 0 ? BROKER_ERRORS.LEADER_NOT_AVAILABLE.code : code,
        null,
      )
    return cluster.broker(place.leaderId)
  }

  async #newIdentity(connection: BrokerConnection): Promise<ProducerIdentity> {
    const body = { transactionalId: null, transactionTimeoutMs: 0 }
    const { errorCode, producerId, producerEpoch } = await connection.request('InitProducerId', body)
    if (errorCode !== 0) throw new BrokerRefusal(errorCode, null)
    this.#nextSequence = 0
    return { id: producerId, epoch: producerEpoch }
  }

  /** Waits before the next attempt; resolves to true if there is none. */
  async #failed(error: Error): Promise<boolean> {
    const { clock, backoff } = this.#options
    const nowMs = clock.now()
    this.#failedSinceMs ??= nowMs
    const code = error instanceof BrokerRefusal ? codeOf(error) : 0
    if (!isTransient({ error, code }) || nowMs - this.#failedSinceMs >= RETRY_MS_MAX) {
      this.#end(error)
      return true
    }
    await clock.sleep(backoffMs(++this.#attempts, backoff))
    return this.#fault !== undefined
  }

  #end(error: Error): void {
    this.#fault ??= error
    const pending = [...this.#queue, ...this.#failures.map(({ sending }) => sending), ...this.#inFlight]
    this.#queue = []
    this.#failures = []
    for (const sending of pending) sending.reject(error)
  }
}

/** Returns whether the same batch may be accepted later. */
function isTransient({ error, code }: Pick<Failure, 'error' | 'code'>): boolean {
  if (error instanceof PipelineError) return error.retryable
  return isRetriable(code) || LOST_IDENTITY.includes(code)
}

function codeOf({ type }: BrokerRefusal): number {
  return type in BROKER_ERRORS ? BROKER_ERRORS[type as keyof typeof BROKER_ERRORS].code : -1
}

/** Returns the sequence number after `count` records. */
function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count
  return next > SEQUENCE_MAX ? next - SEQUENCE_MAX - 1 : next
}
