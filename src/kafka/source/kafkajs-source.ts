import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { Observable, type Subscriber } from 'rxjs'
import type { Batch, OffsetRange, StageTiming } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import { nowMs } from '../../core/stage/span.ts'
import { assignBySubscription } from './assigner.ts'
import { createKafka, connectAdmin, lastRefusalOf } from '../client/client.ts'
import { sourceFailureOf, consumerRetryOptions } from './crash.ts'
import { takeCreditWithHeartbeats } from './credit-wait.ts'
import { EndOffsetPoller, Watermarks } from '../client/end-offsets.ts'
import { copyOffsetsToGroup } from './group-offsets.ts'
import { lookUpResumeOffsets } from './offset-lookup.ts'
import { emptyRaw, fetchedOffsetOf, pack, traceparentsOf } from './pack-records.ts'
import { type Position, Positions } from './start-positions.ts'
import { emptyBatchResponseBytes, observeFetchResponses, IdleDetector } from './idle-detector.ts'
import type { KafkaSource, PartitionStatus, SourceOptions } from './source-options.ts'

const MIB = 1024 * 1024

/**
 * Creates a source that reads one Kafka topic through kafkajs, resumed from the table. A batch holds its credit when it is
 * emitted; the caller gives it back when the batch is committed or dropped.
 *
 * `batches` errors with KD_KAFKA_UNREACHABLE, KD_TOPIC_MISSING, KD_OFFSETS_VANISHED, KD_SOURCE_FAILED or errors of `resume`.
 */
export function createSource(options: SourceOptions): KafkaSource {
  return new KafkajsSource(options)
}

type Phase = 'new' | 'running' | 'ended' | 'closed'

class KafkajsSource implements KafkaSource {
  readonly batches: Observable<Batch<Raw>>
  readonly #options: SourceOptions
  readonly #clock: Clock
  readonly #kafka: Kafka
  readonly #watermarks: Watermarks
  readonly #endOffsetPoller: EndOffsetPoller
  readonly #positions: Positions
  readonly #idle: IdleDetector
  readonly #fetchWaitMsMax: number
  readonly #heartbeatMs: number
  #phase: Phase = 'new'
  #subscriber: Subscriber<Batch<Raw>> | undefined
  #consumer: Consumer | undefined
  #starting: Promise<void> | undefined
  #memberId: string | undefined
  #assigned = false
  /** Aborted when waiting handlers must check their state again: assignment, reset, end. */
  #interrupt = new AbortController()
  readonly #closing = new AbortController()
  #ends: ReadonlyMap<number, bigint> | undefined
  /** Timing of the newest fetch; with several brokers it may belong to another broker than the batch. */
  #poll: StageTiming | undefined

  constructor(options: SourceOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#kafka = createKafka(options)
    const reach = (): Promise<Admin> => connectAdmin(this.#kafka, options, this.#closing.signal)
    this.#watermarks = new Watermarks(reach, options.topic)
    this.#positions = new Positions(options.topic, options.startFrom)
    this.#endOffsetPoller = new EndOffsetPoller(this.#watermarks, this.#positions, this.#clock)
    this.#fetchWaitMsMax = options.fetchWaitMsMax ?? 500
    this.#heartbeatMs = options.heartbeatMs ?? 3_000
    const min = (): number => emptyBatchResponseBytes(options.topic, this.#positions.all().length)
    this.#idle = new IdleDetector(this.#fetchWaitMsMax, { min, max: options.partitionBytesMax ?? MIB })
    this.batches = new Observable((subscriber) => this.#subscribe(subscriber))
  }

  async commitOffsets(ranges: readonly OffsetRange[]): Promise<void> {
    for (const { partition, last } of ranges) this.#positions.committed(partition, last)
    // Only assigned partitions: a later owner may have copied newer offsets already.
    const owned = ranges.filter(({ partition }) => this.#positions.get(partition) !== undefined)
    await copyOffsetsToGroup(
      this.#consumer,
      this.#options,
      this.#clock,
      owned.map(({ partition, last }) => ({ partition, next: last + 1n })),
    )
  }

  async reset(partitions: readonly number[]): Promise<void> {
    const abandoned = partitions.flatMap((partition) => this.#positions.abandon(partition) ?? [])
    if (abandoned.length === 0 || this.#phase !== 'running') return
    this.#pause(abandoned.map(({ partition }) => partition))
    this.#wake()
    await this.#locate(abandoned)
  }

  stop(): void {
    if (this.#phase === 'new') this.#phase = 'ended'
    this.#end((subscriber) => {
      subscriber.complete()
    })
  }

  async close(): Promise<void> {
    this.stop()
    this.#phase = 'closed'
    this.#closing.abort()
    await this.#starting
    const consumer = this.#consumer
    this.#consumer = undefined
    try {
      await consumer?.disconnect()
    } catch (error) {
      this.#options.log?.warn(
        { error: messageOf(error) },
        'The consumer could not leave its group; the brokers remove it after the session timeout',
      )
    }
    await this.#watermarks.close()
  }

  status(): readonly PartitionStatus[] {
    return this.#positions
      .all()
      .map(({ partition, live, next, committed, high }) => ({ partition, live, next, committed, end: high }))
      .sort((a, b) => a.partition - b.partition)
  }

  #subscribe(subscriber: Subscriber<Batch<Raw>>): () => void {
    if (this.#phase !== 'new') {
      subscriber.complete()
      return () => undefined
    }
    this.#phase = 'running'
    this.#subscriber = subscriber
    this.#starting = this.#start().catch((error: unknown) => this.#crash(error))
    return () => this.#end(() => undefined)
  }

  async #start(): Promise<void> {
    const options = this.#options
    const marks = await this.#watermarks.read()
    if (options.until === 'latest')
      this.#ends = new Map([...marks].map(([partition, { high }]) => [partition, high]))
    if (this.#phase !== 'running') return
    const consumer = this.#kafka.consumer({
      groupId: options.groupId,
      partitionAssigners: [assignBySubscription],
      sessionTimeout: options.sessionTimeoutMs ?? 30_000,
      rebalanceTimeout: options.rebalanceTimeoutMs ?? 60_000,
      heartbeatInterval: this.#heartbeatMs,
      maxBytesPerPartition: options.partitionBytesMax ?? MIB,
      maxBytes: options.fetchBytesMax ?? 8 * MIB,
      maxWaitTimeInMs: this.#fetchWaitMsMax,
      metadataMaxAge: 60_000,
      allowAutoTopicCreation: false,
      retry: consumerRetryOptions(() => this.#phase === 'closed'),
    })
    this.#consumer = consumer
    this.#listen(consumer)
    // `fromBeginning`: if kafkajs resets an offset by itself, it must not skip records.
    await consumer.connect()
    await consumer.subscribe({ topic: options.topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => this.#eachBatch(payload),
    })
  }

  #listen(consumer: Consumer): void {
    const { events } = consumer
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.#onJoined(payload.memberId, payload.memberAssignment[this.#options.topic] ?? [])
    })
    consumer.on(events.REBALANCING, () => this.#options.onEvent?.({ kind: 'rebalancing' }))
    observeFetchResponses(consumer, this.#idle)
    consumer.on(events.FETCH_START, ({ payload }) => {
      this.#idle.fetchStarted(String(payload.nodeId))
      this.#endIfIdle()
    })
    consumer.on(events.FETCH, ({ payload }) => {
      this.#idle.fetchEnded(String(payload.nodeId), payload.duration)
      const endMs = nowMs()
      this.#poll = { stage: 'poll', startMs: endMs - payload.duration, endMs }
    })
    consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      this.#idle.delivered()
      if (payload.batchSize === 0) this.#skipFiltered(payload)
    })
    consumer.on(events.CRASH, ({ payload }) => {
      this.#idle.forget()
      if (payload.restart) this.#options.onEvent?.({ kind: 'restarting', error: payload.error })
      else this.#crash(payload.error)
    })
  }

  /** Runs during kafkajs's join, before the first fetch: it must pause immediately and must not throw. */
  #onJoined(memberId: string, partitions: readonly number[]): void {
    const waiting = this.#positions.assign(partitions, memberId === this.#memberId)
    this.#memberId = memberId
    this.#assigned = true
    this.#pause(partitions)
    this.#wake()
    if (this.#phase !== 'running') return
    this.#options.onEvent?.({ kind: 'assigned', partitions })
    void this.#locate(waiting)
  }

  /** Reads the offsets of the table and the broker and sets every position that is still current. */
  async #locate(waiting: readonly Position[]): Promise<void> {
    try {
      const { resume } = this.#options
      const { txns, watermarks } = await lookUpResumeOffsets(waiting, resume, this.#watermarks, this.#clock)
      if (this.#phase !== 'running') return
      const placed = waiting.flatMap((position, index) => {
        const mark = watermarks.get(position.partition) ?? { low: 0n, high: 0n }
        return this.#positions.locate(position, txns[index], mark) ?? []
      })
      for (const { position, pin } of placed) this.#place(position, pin)
      this.#endIfReached()
      await copyOffsetsToGroup(
        this.#consumer,
        this.#options,
        this.#clock,
        placed.flatMap(({ position: { partition, committed } }) =>
          committed === undefined ? [] : [{ partition, next: committed + 1n }],
        ),
      )
    } catch (error) {
      if (waiting.some((position) => this.#positions.isCurrent(position))) this.#fail(error)
    }
  }

  #place(position: Position, pin: bigint | undefined): void {
    const { partition, next, follows } = position
    if (pin !== undefined) this.#emit(position, emptyRaw(this.#options.topic, partition), pin, pin, 0)
    this.#seek(partition, next)
    this.#options.onEvent?.({ kind: 'positioned', partition, next, follows })
  }

  /** Handles a fetched batch of one partition: drops known records, waits for credit, and emits the rest. */
  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const { topic } = this.#options
    const position = this.#positions.get(batch.partition)
    if (this.#phase !== 'running' || position?.live !== true || payload.isStale()) return
    const fetched = fetchedOffsetOf(batch)
    if (fetched !== position.next && !(await this.#acceptsFetchFrom(position, fetched))) return
    position.high = BigInt(batch.highWatermark)
    const last = BigInt(batch.lastOffset())
    if (last < position.next) {
      payload.resolveOffset(batch.lastOffset())
      return
    }
    const raw = pack(topic, batch.partition, batch.messages, position.next)
    const bytes = this.#options.costBytes(raw)
    if (!(await this.#takeCredit(bytes, () => payload.heartbeat()))) return
    if (!this.#positions.isCurrent(position) || this.#isEnded()) {
      this.#options.credit.give(bytes)
      return
    }
    payload.resolveOffset(batch.lastOffset())
    this.#emit(position, raw, raw.offsets[0] ?? last, last, bytes)
    this.#endIfReached()
    await payload.heartbeat()
  }

  #emit(position: Position, raw: Raw, first: bigint, last: bigint, bytes: number): void {
    const { follows, partition } = position
    this.#positions.advance(position, last)
    this.#subscriber?.next({
      provenance: {
        topic: this.#options.topic,
        partition,
        follows,
        first,
        last,
        records: raw.count,
        bytes,
        polledAtMs: this.#clock.now(),
        traceparents: this.#options.tracing === true ? traceparentsOf(raw) : [],
        timings: this.#poll === undefined ? [] : [this.#poll],
      },
      payload: raw,
    })
  }

  async #takeCredit(bytes: number, heartbeat: () => Promise<void>): Promise<boolean> {
    if (this.#options.credit.tryTake(bytes)) return true
    const since = this.#clock.now()
    this.#idle.restart()
    const { signal } = this.#interrupt
    const beat = this.#endOffsetPoller.besideHeartbeat(heartbeat)
    const wait = { heartbeat: beat, heartbeatMs: this.#heartbeatMs, clock: this.#clock, signal }
    const taken = await takeCreditWithHeartbeats(this.#options.credit, bytes, wait)
    this.#options.onEvent?.({ kind: 'credit-waited', bytes, waitedMs: this.#clock.now() - since })
    return taken
  }

  /**
   * Returns whether a fetch that began at another offset than expected may be used. kafkajs resets silently if an offset is
   * out of range: that fails here. In other cases the consumer seeks back to the position.
   */
  async #acceptsFetchFrom(position: Position, fetched: bigint): Promise<boolean> {
    const expected = position.next
    const mark = (await this.#watermarks.read()).get(position.partition)
    if (!this.#positions.isCurrent(position) || this.#isEnded()) return false
    try {
      if (mark !== undefined) this.#positions.assertAvailable(position.partition, expected, mark)
    } catch (error) {
      this.#fail(error)
      return false
    }
    // The fetch began before the position: known records are dropped while packing.
    if (fetched < expected) return true
    this.#options.onEvent?.({ kind: 'repositioned', partition: position.partition, expected, got: fetched })
    this.#seek(position.partition, expected)
    return false
  }

  /** Handles a fetch that contains only transaction markers and aborted records, which kafkajs skips by itself. */
  #skipFiltered(payload: { partition: number; firstOffset: string | null; lastOffset: string }): void {
    const position = this.#positions.get(payload.partition)
    if (this.#phase !== 'running' || position?.live !== true) return
    const last = BigInt(payload.lastOffset)
    const first = payload.firstOffset === null ? last : BigInt(payload.firstOffset)
    // A start past the position is a gap left by compaction, unless the fetch is older than the position.
    if (last < position.next || !(first === position.next || (first > position.next && this.#idle.isSettled)))
      return
    this.#emit(position, emptyRaw(this.#options.topic, payload.partition), last, last, 0)
    this.#endIfReached()
  }

  #endIfReached(): void {
    if (this.#ends === undefined || !this.#assigned) return
    const reached = this.#positions
      .all()
      .every(({ partition, live, next }) => live && next >= (this.#ends?.get(partition) ?? 0n))
    if (reached) this.stop()
  }

  #endIfIdle(): void {
    if (this.#ends === undefined || !this.#assigned || !this.#idle.isIdle) return
    if (this.#positions.all().every(({ live }) => live)) this.stop()
  }

  #seek(partition: number, next: bigint): void {
    const { topic } = this.#options
    this.#idle.restart()
    this.#whileRunning((consumer) => {
      consumer.seek({ topic, partition, offset: next.toString() })
      consumer.resume([{ topic, partitions: [partition] }])
    })
  }

  #pause(partitions: readonly number[]): void {
    if (partitions.length === 0) return
    this.#whileRunning((consumer) => {
      consumer.pause([{ topic: this.#options.topic, partitions: [...partitions] }])
    })
  }

  /** Ignores errors of kafkajs between two runs: the next assignment sets everything again. */
  #whileRunning(act: (consumer: Consumer) => void): void {
    try {
      if (this.#consumer !== undefined) act(this.#consumer)
    } catch (error) {
      this.#options.log?.debug({ error: messageOf(error) }, 'The consumer is not running')
    }
  }

  #wake(): void {
    this.#interrupt.abort()
    this.#interrupt = new AbortController()
    this.#idle.restart()
  }

  #isEnded(): boolean {
    return this.#phase !== 'running'
  }

  #crash(error: unknown): void {
    this.#fail(sourceFailureOf(error, { ...this.#options, lastRefusal: lastRefusalOf(this.#kafka) }))
  }

  #fail(error: unknown): void {
    this.#end((subscriber) => {
      subscriber.error(error)
    })
  }

  /** Ends reading. The consumer stays in its group with all partitions paused, so that the last offsets can be copied. */
  #end(tell: (subscriber: Subscriber<Batch<Raw>>) => void): void {
    if (this.#phase !== 'running') return
    this.#phase = 'ended'
    this.#pause(this.#positions.all().map(({ partition }) => partition))
    this.#interrupt.abort()
    const subscriber = this.#subscriber
    if (subscriber !== undefined) tell(subscriber)
  }
}
