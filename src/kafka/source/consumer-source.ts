import { Observable, type Subscriber } from 'rxjs'
import type { Batch, OffsetRange } from '../../core/batch.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import { clusterOptionsOf } from '../client/wire-options.ts'
import { createFetcher } from '../fetch/fetcher.ts'
import type { FetchedRecords, Fetcher, FetchEvent } from '../fetch/fetch-options.ts'
import { type ReadObstacle, ReadObstacles } from '../fetch/read-obstacles.ts'
import { joinGroup } from '../group/join.ts'
import type { GroupMembership } from '../group/membership.ts'
import type { OwnedPartition } from '../group/ownership.ts'
import type { Isolation } from '../records/read-records.ts'
import type { Cluster } from '../wire/cluster.ts'
import { openCluster } from '../wire/open-cluster.ts'
import { EndRefresh } from './end/end-refresh.ts'
import { TopicEnd } from './end/topic-end.ts'
import { copyOffsetsToGroup, GroupOffsetCopies, ownedOffsetsOf, type NextOffset } from './group-offsets.ts'
import { emptyRaw } from './pack-records.ts'
import { type Position, Positions } from './start-positions.ts'
import { lookUpResumeOffsets } from './offset-lookup.ts'
import type { KafkaSource, PartitionStatus, SourceOptions } from './source-options.ts'
import { fetchLimitsFrom, groupOptionsFrom } from './consumer-options.ts'
import { assertNext, fetchedOf, sourceBatchOf, type ReadOffsets } from './source-batch.ts'
import { TopicIdentity } from './topic-id.ts'
import { secondSubscriptionError, sourceFailureOf, SourceReporter } from './source-events.ts'
import { isCommitted, waitUntilCommitted } from './end/wait-until-committed.ts'
import { listWatermarks, type TopicWatermarks } from './watermarks.ts'

/** Maximum time to commit what was read before a corrupt batch, in milliseconds. */
const COMMIT_MS_MAX = 60_000

/**
 * Creates a source that reads one Kafka topic as a member of a consumer group and resumes from the offsets in the table.
 * Guarantees: (1) batches of a partition form a chain without gaps; (2) with `read_committed`, no record of an aborted or
 * open transaction is delivered; (3) a partition is handed over to another member only after its batches are committed, or
 * when the rebalance timeout is over.
 *
 * `batches` errors with KD_KAFKA_UNREACHABLE, KD_TOPIC_MISSING, KD_OFFSETS_VANISHED, KD_RECORDS_CORRUPT, KD_SOURCE_FAILED
 * and the errors of `resume`; a second subscription errors with KD_SOURCE_FAILED.
 */
export function createSource(options: SourceOptions): KafkaSource {
  return new ConsumerSource(options)
}

/** `failing`: reading has ended with an error that is reported once everything before it is committed. */
type Phase = 'new' | 'running' | 'failing' | 'ended' | 'closed'

class ConsumerSource implements KafkaSource {
  readonly batches: Observable<Batch<Raw>>
  readonly #options: SourceOptions
  readonly #clock: Clock
  readonly #reporter: SourceReporter
  readonly #obstacles = new ReadObstacles()
  readonly #isolation: Isolation
  readonly #cluster: Cluster
  readonly #identity: TopicIdentity
  readonly #positions: Positions
  readonly #endRefresh: EndRefresh
  readonly #topicEnd: TopicEnd
  readonly #copies: GroupOffsetCopies
  readonly #owned = new Map<number, OwnedPartition>()
  /** Aborted when the position of a partition is discarded, so that a wait for its credit ends. */
  readonly #waits = new Map<number, AbortController>()
  readonly #closing = new AbortController()
  #phase: Phase = 'new'
  #subscriber: Subscriber<Batch<Raw>> | undefined
  #starting: Promise<void> | undefined
  #fetcher: Fetcher | undefined
  #membership: GroupMembership | undefined
  #awaitsCommits = false

  constructor(options: SourceOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#reporter = new SourceReporter(options, this.#clock)
    this.#isolation = options.isolation ?? 'read_committed'
    this.#cluster = openCluster({
      ...clusterOptionsOf(options, this.#clock),
      onAnswersChange: this.#reporter.onAnswers,
    })
    this.#identity = new TopicIdentity(options)
    this.#positions = new Positions(options.topic, options.startFrom, this.#clock)
    this.#endRefresh = new EndRefresh({
      ...options,
      clock: this.#clock,
      read: () => this.#watermarks(),
      onEnds: (marks) => {
        this.#positions.noteEndOffsets(marks)
        this.#topicEnd.note(marks)
      },
      onFailure: (error) => this.#fail(error),
    })
    this.#topicEnd = new TopicEnd({ ...options, clock: this.#clock })
    this.#copies = new GroupOffsetCopies(
      (offsets) => copyOffsetsToGroup(this.#membership, options, offsets),
      this.#clock,
    )
    this.batches = new Observable((subscriber) => this.#subscribe(subscriber))
  }

  async commitOffsets(ranges: readonly OffsetRange[]): Promise<void> {
    for (const { partition, last } of ranges) this.#positions.committed(partition, last)
    await this.#copyOffsets(ranges.map(({ partition, last }) => ({ partition, next: last + 1n })))
    this.#endIfReached()
  }

  awaitCommits(): void {
    this.#awaitsCommits = true
  }

  async reset(partitions: readonly number[]): Promise<void> {
    const abandoned = partitions.flatMap((partition) => this.#positions.abandon(partition) ?? [])
    if (abandoned.length === 0 || this.#phase !== 'running') return
    for (const { partition } of abandoned) this.#stopReading(partition)
    await this.#locate(abandoned)
  }

  stop(): void {
    if (this.#phase === 'new') this.#phase = 'ended'
    this.#end((subscriber) => subscriber.complete())
  }

  async close(): Promise<void> {
    this.stop()
    this.#phase = 'closed'
    this.#closing.abort()
    const cluster = this.#cluster
    if (this.#membership === undefined) await cluster.close() // ends a start that waits for brokers
    await this.#starting
    await this.#copies.finish()
    await this.#membership?.stop()
    await this.#fetcher?.close()
    await cluster.close()
  }

  status(): readonly PartitionStatus[] {
    const find = (each: number) => this.#fetcher?.obstacle(this.#options.topic, each)
    return this.#obstacles.addTo(this.#positions.status(), find)
  }

  obstacle(): ReadObstacle | undefined {
    return this.#reporter.obstacle(this.#membership?.status().state)
  }

  assignment(): readonly number[] | undefined {
    return this.#positions.assignment(
      this.#phase === 'running' && this.#membership?.status().state === 'stable',
    )
  }

  #subscribe(subscriber: Subscriber<Batch<Raw>>): () => void {
    if (this.#subscriber !== undefined) subscriber.error(secondSubscriptionError(this.#options))
    else if (this.#phase !== 'new') subscriber.complete()
    if (subscriber.closed) return () => undefined
    this.#phase = 'running'
    this.#subscriber = subscriber
    this.#starting = this.#start().catch((error: unknown) => this.#fail(error))
    return () => {
      this.#end(() => undefined)
    }
  }

  async #start(): Promise<void> {
    const options = this.#options
    const { marks } = await this.#watermarks()
    if (options.until === 'latest') this.#topicEnd.set(marks)
    if (this.#phase !== 'running') return
    this.#fetcher = createFetcher({
      cluster: this.#cluster,
      isolation: this.#isolation,
      ...fetchLimitsFrom(options),
      clock: this.#clock,
      deliver: (fetched) => this.#deliver(fetched),
      onEvent: (event) => this.#onFetchEvent(event),
    })
    this.#membership = joinGroup({
      cluster: this.#cluster,
      ...groupOptionsFrom(options),
      clock: this.#clock,
      callbacks: {
        onAssign: (partitions) => this.#assigned(partitions),
        onRevoke: (partitions, signal) => this.#handOver(partitions, signal),
        onLost: (partitions) => this.#drop(partitions, { areLost: true }),
        onFailure: (error) => this.#fail(error),
      },
      onEvent: (event) => this.#reporter.onGroupEvent(event, [...this.#owned.keys()]),
    })
    void this.#watch()
  }

  async #watermarks(): Promise<TopicWatermarks> {
    const reading = { isolation: this.#isolation, clock: this.#clock }
    const found = await listWatermarks(this.#cluster, this.#options.topic, reading)
    this.#identity.check(found.topicId)
    return found
  }

  #assigned(partitions: readonly OwnedPartition[]): void {
    for (const each of partitions) this.#owned.set(each.partition, each)
    if (this.#owned.size === 0) this.#endRefresh.expire()
    const waiting = this.#positions.add(partitions.map(({ partition }) => partition))
    if (this.#phase !== 'running') return
    this.#reporter.onAssigned([...this.#owned.keys()])
    void this.#locate(waiting)
  }

  /**
   * Commits what was read of partitions before another member takes them. Committing, rather than dropping, reads no record
   * twice, and leaves the other partitions of the same flush alone. Waits no longer than the member may.
   */
  async #handOver(partitions: readonly OwnedPartition[], signal: AbortSignal): Promise<void> {
    for (const { partition } of partitions) this.#stopReading(partition)
    const indexes = partitions.map(({ partition }) => partition)
    await this.#waitUntilCommitted(indexes, () => signal.aborted)
    if (!signal.aborted) this.#drop(partitions)
  }

  #waitUntilCommitted(partitions: readonly number[], isLate: () => boolean): Promise<void> {
    return waitUntilCommitted(partitions, {
      positions: this.#positions,
      credit: this.#options.credit,
      clock: this.#clock,
      isOver: () => isLate() || this.#subscriber?.closed !== false,
    })
  }

  #drop(partitions: readonly OwnedPartition[], { areLost } = { areLost: false }): void {
    for (const { partition } of partitions) {
      this.#stopReading(partition)
      this.#owned.delete(partition)
    }
    // A source that has ended still reports how far it read.
    if (this.#phase === 'running') this.#positions.remove(partitions, { areLost })
  }

  #stopReading(partition: number): void {
    this.#fetcher?.drop(this.#options.topic, partition)
    this.#waits.get(partition)?.abort()
  }

  /** Looks up the offsets in the table and at the brokers, and sets every position that is still current. */
  async #locate(waiting: readonly Position[]): Promise<void> {
    try {
      const { txns, marks } = await lookUpResumeOffsets(waiting, {
        resume: this.#options.resume,
        identity: this.#identity,
        watermarks: () => this.#watermarks(),
        clock: this.#clock,
      })
      if (this.#phase !== 'running') return
      const placed = waiting.flatMap((position, index) => {
        const mark = marks.get(position.partition) ?? { low: 0n, high: 0n }
        return this.#positions.locate(position, txns[index], mark) ?? []
      })
      for (const { position, pin } of placed) this.#place(position, pin)
      this.#endIfReached()
      await this.#copyOffsets(
        placed.flatMap(({ position: { partition, committed } }) =>
          committed === undefined ? [] : [{ partition, next: committed + 1n }],
        ),
      )
    } catch (error) {
      if (waiting.some((position) => this.#positions.isCurrent(position))) this.#fail(error)
    }
  }

  #place(position: Position, pin: bigint | undefined): void {
    const { topic } = this.#options
    const { partition, next, follows } = position
    if (pin !== undefined)
      this.#emit(position, emptyRaw(topic, partition), { first: pin, last: pin, bytes: 0 })
    this.#waits.set(partition, new AbortController())
    this.#fetcher?.seek(topic, partition, next, -1, this.#identity.id)
    this.#options.onEvent?.({ kind: 'positioned', partition, next, follows })
  }

  /** Takes credit for what a fetch brought of one partition and emits it. */
  #deliver(fetched: FetchedRecords): Promise<void> | undefined {
    const position = this.#positions.get(fetched.partition)
    if (this.#phase !== 'running' || position?.live !== true || !fetched.isCurrent()) return undefined
    assertNext(fetched, position)
    const bytes = fetched.raw.count === 0 ? 0 : this.#options.costBytes(fetched.raw)
    if (bytes === 0 || this.#options.credit.tryTake(bytes)) {
      this.#emitFetched(position, fetched, bytes)
      return undefined
    }
    return this.#emitWithCredit(position, fetched, bytes)
  }

  async #emitWithCredit(position: Position, fetched: FetchedRecords, bytes: number): Promise<void> {
    const { credit, onEvent } = this.#options
    const since = this.#clock.now()
    const signal = AbortSignal.any([
      this.#closing.signal,
      this.#waits.get(position.partition)?.signal ?? AbortSignal.abort(),
    ])
    const isTaken = await credit.take(bytes, signal).then(
      () => true,
      () => false,
    )
    onEvent?.({ kind: 'credit-waited', bytes, waitedMs: this.#clock.now() - since })
    if (!isTaken) return
    if (this.#phase !== 'running' || !this.#positions.isCurrent(position) || !fetched.isCurrent())
      credit.give(bytes)
    else this.#emitFetched(position, fetched, bytes)
  }

  #emitFetched(position: Position, fetched: FetchedRecords, bytes: number): void {
    this.#emit(position, fetched.raw, fetchedOf(fetched, bytes))
    this.#endIfReached()
  }

  #emit(position: Position, raw: Raw, read: ReadOffsets): void {
    const batch = sourceBatchOf(position, raw, {
      ...read,
      topicId: this.#identity.numberToStore,
      polledAtMs: this.#clock.now(),
      tracing: this.#options.tracing === true,
    })
    this.#positions.advance(position, read.last)
    this.#subscriber?.next(batch)
  }

  #copyOffsets(offsets: readonly NextOffset[]): Promise<void> {
    return this.#copies.add(ownedOffsetsOf(offsets, this.#owned))
  }

  #onFetchEvent(event: FetchEvent): void {
    switch (event.kind) {
      case 'failed':
        if (event.error.code === 'KD_RECORDS_CORRUPT') void this.#failOnceCommitted(event.error)
        else this.#fail(event.error)
        break
      case 'ends': {
        const high = this.#isolation === 'read_committed' ? event.lastStableOffset : event.highWatermark
        this.#endRefresh.postpone()
        this.#positions.noteEndOffsets(new Map([[event.partition, { low: event.logStart, high }]]))
        break
      }
      case 'broker-failed':
      case 'metadata-failed':
      case 'refused':
      case 'broker-answers':
      case 'moved':
        this.#reporter.onFetchEvent(event)
        break
    }
  }

  /** Ends the source once the topic is carried to its end, and keeps the known end offsets fresh. */
  async #watch(): Promise<void> {
    while (this.#phase === 'running') {
      this.#endIfReached()
      await this.#endRefresh.refreshIfDue()
      await this.#topicEnd.refreshIfDue(this.#positions.all()).catch((error: unknown) => this.#fail(error))
      await this.#endRefresh.wait(this.#closing.signal, this.#topicEnd.checkMs)
    }
  }

  #endIfReached(): void {
    if (this.#phase !== 'running' || this.#membership?.status().state !== 'stable') return
    const positions = this.#positions.all()
    if (!this.#topicEnd.isReachedBy(positions)) return
    const isLast = this.#topicEnd.missing(positions).length === 0
    if (isLast && (!this.#awaitsCommits || positions.every(isCommitted))) return this.stop()
    // What a flush loses to another writer is read again, up to the same end; other members wait for these commits too.
    for (const { partition } of positions) this.#stopReading(partition)
    if (!positions.every(isCommitted)) this.#options.credit.requestFlush()
  }

  /**
   * Ends the source once everything that was read is committed: a restart fails at the same batch again, so the records
   * before it would otherwise never become rows.
   */
  async #failOnceCommitted(error: PipelineError): Promise<void> {
    if (this.#phase !== 'running') return
    this.#phase = 'failing'
    const partitions = this.#positions.all().map(({ partition }) => partition)
    for (const partition of partitions) this.#stopReading(partition)
    const untilMs = this.#clock.now() + COMMIT_MS_MAX
    await this.#waitUntilCommitted(partitions, () => this.#clock.now() >= untilMs)
    this.#fail(error)
  }

  #fail(error: unknown): void {
    const failure = sourceFailureOf(error, this.#options)
    this.#end((subscriber) => subscriber.error(failure))
  }

  /** The member stays in its group, reading nothing, so that the last offsets can be copied. */
  #end(notify: (subscriber: Subscriber<Batch<Raw>>) => void): void {
    if (this.#phase !== 'running' && this.#phase !== 'failing') return
    this.#phase = 'ended'
    for (const { partition } of this.#positions.all()) this.#stopReading(partition)
    const subscriber = this.#subscriber
    if (subscriber !== undefined) notify(subscriber)
  }
}
