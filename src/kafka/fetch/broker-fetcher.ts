import { messageOf, PipelineError } from '../../core/errors.ts'
import { backoffMs } from '../../resilience/backoff.ts'
import { readRecords } from '../records/read-records.ts'
import { codecsFor } from '../records/record-codecs.ts'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import { SILENCE_MS } from '../wire/network/options.ts'
import { errorNameOf, refusalCodeOf } from '../wire/error-codes.ts'
import type { FetchContext } from './fetch-context.ts'
import type { FetchErrorHandler } from './faults/fetch-error-handler.ts'
import { fetchFailureOf, isPermanent } from './faults/fetch-failure.ts'
import type { FetchedRecords, LogEnds } from './fetch-options.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { sessionReactionTo } from './faults/fetch-reactions.ts'
import {
  FetchSession,
  supportedFields,
  type FetchPartitionResult,
  type FetchPartitionRequest,
} from './fetch-session.ts'
import { guessNextOffset } from './next-offset.ts'
import { BrokerAnswers, type ReadObstacle } from './read-obstacles.ts'
import { WakeSignal } from './wake-signal.ts'

/** Backoff after a failure of the broker. */
const BACKOFF = { minBackoffMs: 100, maxBackoffMs: 1_000, jitter: 'none' } as const
/**
 * Responses in a row with records of later offsets only, after which a partition fails. A single one is no fault: the log
 * may grow while the broker answers.
 */
const USELESS_MAX = 20
/** Maximum time to close a session, in milliseconds. */
const SESSION_END_MS = 1_000

/** Identifies the position of a partition at the time of a request. */
interface RequestContext {
  readonly partition: FetchPartition
  readonly seekEpoch: number
}

type Result = FetchPartitionResult<RequestContext>

/**
 * Reads all partitions of one broker with one request in flight. Sends the next request before it delivers the records
 * of the last response, so that the broker works meanwhile.
 */
export class BrokerFetcher {
  readonly nodeId: number
  readonly #context: FetchContext
  readonly #errorHandler: FetchErrorHandler
  readonly #session: FetchSession<RequestContext>
  readonly #wakeSignal: WakeSignal
  readonly #closing = new AbortController()
  readonly #answers: BrokerAnswers
  #connection: BrokerConnection | undefined
  #failures = 0
  #notBeforeMs = 0

  constructor(nodeId: number, context: FetchContext, errorHandler: FetchErrorHandler) {
    this.nodeId = nodeId
    this.#context = context
    this.#errorHandler = errorHandler
    this.#answers = new BrokerAnswers(nodeId, context.fetchWaitMs + SILENCE_MS)
    this.#session = new FetchSession(context.partitionBytesMax)
    this.#wakeSignal = new WakeSignal(context.clock)
  }

  /** Why no partition can be read from this broker for now; `undefined` if it answers. */
  get obstacle(): ReadObstacle | undefined {
    return this.#answers.obstacle(this.#context.clock.now())
  }

  /** Makes the fetcher check its partitions again, after one was added, sought or resumed. */
  wake(): void {
    this.#wakeSignal.wake()
  }

  /** Aborts the request in flight and stops the fetcher. */
  close(): void {
    this.#closing.abort()
    this.#wakeSignal.wake()
  }

  async run(): Promise<void> {
    let flight: Promise<ResponseBody<'Fetch'> | undefined> | undefined
    let requestedAtMs = 0
    while (!this.#context.isClosed()) {
      if (flight === undefined) {
        requestedAtMs = this.#context.clock.now()
        flight = this.#startRequest()
      }
      if (flight === undefined) {
        await this.#wakeSignal.wait(this.#idleMs())
        continue
      }
      const response = await flight
      flight = undefined
      if (response === undefined || this.#context.isClosed()) continue
      const fetchedAtMs = this.#context.clock.now()
      const timing = { requestedAtMs, fetchedAtMs }
      const results = this.#processResponse(response)
      // The broker works on the next request while these records are delivered.
      requestedAtMs = fetchedAtMs
      flight = this.#startRequest()
      for (const each of results) await this.#deliverRecords(each, timing)
    }
    await this.#endSession()
  }

  /** Sends the next request; returns `undefined` if no partition can be fetched now. */
  #startRequest(): Promise<ResponseBody<'Fetch'> | undefined> | undefined {
    const now = this.#context.clock.now()
    if (now < this.#notBeforeMs) return undefined
    const requests: FetchPartitionRequest<RequestContext>[] = []
    for (const partition of this.#context.partitions()) {
      if (partition.expireReplica(now)) this.#context.wakeBroker(partition)
      if (!partition.isFetchable || partition.notBeforeMs > now || partition.nodeId !== this.nodeId) continue
      requests.push({ ...partition.request, context: { partition, seekEpoch: partition.seekEpoch } })
    }
    return requests.length === 0 ? undefined : this.#send(requests)
  }

  async #send(
    requests: readonly FetchPartitionRequest<RequestContext>[],
  ): Promise<ResponseBody<'Fetch'> | undefined> {
    const context = this.#context
    this.#answers.begin(context.clock.now())
    try {
      this.#connection = await context.cluster.broker(this.nodeId)
      this.#answers.address = this.#connection.address
      // The supported versions are known only after connecting.
      const version = this.#connection.versionOf('Fetch') ?? 0
      const fields = this.#session.next(requests.map((each) => supportedFields(version, each)))
      const response = await this.#request(this.#connection, fields, context.fetchWaitMs)
      if (this.#failures > 0) context.onEvent({ kind: 'broker-answers', nodeId: this.nodeId })
      this.#failures = 0
      return response
    } catch (error) {
      if (!context.isClosed()) this.#onRequestFailed(error)
      return undefined
    } finally {
      this.#answers.end(context.clock.now())
    }
  }

  #request(
    connection: BrokerConnection,
    { versionMax, ...fields }: ReturnType<FetchSession<RequestContext>['next']>,
    maxWaitMs: number,
    signal: AbortSignal = this.#closing.signal,
  ): Promise<ResponseBody<'Fetch'>> {
    const { isolation, fetchBytesMax, rackId = '', requestTimeoutMs } = this.#context
    const body: RequestBody<'Fetch'> = {
      maxWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      rackId,
      ...fields,
    }
    const timeoutMs = maxWaitMs === 0 ? Math.min(SESSION_END_MS, requestTimeoutMs) : requestTimeoutMs
    return connection.request('Fetch', body, {
      timeoutMs,
      signal,
      ...(versionMax === undefined ? {} : { versionMax }),
    })
  }

  /**
   * Handles a failed request: the connection broke, or the broker did not respond in time. An error that cannot pass
   * fails the partitions of the broker.
   */
  #onRequestFailed(error: unknown): void {
    const { clock, onEvent, failPartition, requestLeaderLookup, partitions } = this.#context
    const now = clock.now()
    this.#session.replace()
    this.#backOff(now, `does not answer: ${messageOf(error)}`)
    // Reads from the leader instead of a failed replica; the leader may have changed.
    for (const partition of partitions())
      if (partition.nodeId === this.nodeId) {
        partition.clearReplica()
        partition.fetchOffset = partition.position
      }
    if (!isPermanent(error)) onEvent({ kind: 'broker-failed', nodeId: this.nodeId, error })
    else
      for (const partition of [...partitions()])
        if (!partition.isFailed && partition.nodeId === this.nodeId)
          failPartition(partition, fetchFailureOf(error, partition))
    requestLeaderLookup()
  }

  #backOff(now: number, reason: string): void {
    this.#answers.noteFailure(now, reason)
    this.#notBeforeMs = now + backoffMs(++this.#failures, BACKOFF)
  }

  /**
   * Handles the errors of a response and sets the offsets of the next request; returns the results that have records.
   */
  #processResponse(response: ResponseBody<'Fetch'>): readonly Result[] {
    const { clock, requestLeaderLookup } = this.#context
    if (response.errorCode !== 0) {
      const { session, isLookupNeeded, isBackoffNeeded, isFailure } = sessionReactionTo(response.errorCode)
      if (session === 'new') this.#session.renew()
      else this.#session.replace()
      if (isLookupNeeded) requestLeaderLookup()
      if (isBackoffNeeded) this.#backOff(clock.now(), `answers ${errorNameOf(response.errorCode)}`)
      if (isFailure !== undefined) this.#reportRefusal(errorNameOf(response.errorCode), isFailure)
      return []
    }
    const results = this.#session.accept(response)
    if (results === undefined) {
      this.#backOff(clock.now(), 'answers without the partitions that were asked for')
      return []
    }
    this.#failures = 0
    this.#answers.noteSuccess()
    const withRecords: Result[] = []
    for (const each of results) {
      const { response: data, request } = each
      const { partition } = request.context
      if (!isUnmoved(request)) {
        partition.fetchOffset = partition.position
        continue
      }
      if (this.#errorHandler.handle(partition, data, response.nodeEndpoints, this.nodeId)) continue
      partition.resetBackoff()
      this.#updateEnds(partition, data)
      if (data.records === null || data.records.length === 0) continue
      partition.fetchOffset = guessNextOffset(data.records, request.offset)
      withRecords.push(each)
    }
    return withRecords
  }

  /** Reports that the broker refused a whole request: fails its partitions if it would refuse the next one too. */
  #reportRefusal(reason: string, isFailure: boolean): void {
    const { failPartition, onEvent, partitions } = this.#context
    for (const partition of [...partitions()]) {
      if (partition.isFailed || partition.nodeId !== this.nodeId) continue
      const { topic, partition: index, position: offset } = partition
      if (isFailure) {
        const code = refusalCodeOf(reason)
        const wanted = code === 'KD_KAFKA_FORBIDDEN' ? 'permission to fetch records' : 'records'
        const detail = `expected ${wanted}, got ${reason} from broker ${this.nodeId}`
        const place = { topic, partition: index, offset }
        failPartition(partition, new PipelineError(code, detail, place, { retryable: false }))
      } else onEvent({ kind: 'refused', topic, partition: index, reason, refusals: this.#failures })
    }
  }

  #updateEnds(
    partition: FetchPartition,
    { highWatermark, lastStableOffset, logStartOffset }: Result['response'],
  ): void {
    const ends: LogEnds = { logStart: logStartOffset, highWatermark, lastStableOffset }
    const before = partition.ends
    const isSame =
      before !== undefined &&
      before.logStart === ends.logStart &&
      before.highWatermark === ends.highWatermark &&
      before.lastStableOffset === ends.lastStableOffset
    if (isSame || highWatermark < 0n) return
    partition.ends = ends
    const { topic, partition: index } = partition
    this.#context.onEvent({ kind: 'ends', topic, partition: index, ...ends })
  }

  /** Decodes the records of one partition and delivers them. */
  async #deliverRecords(
    { request, response: data }: Result,
    timing: Pick<FetchedRecords, 'requestedAtMs' | 'fetchedAtMs'>,
  ): Promise<void> {
    const { partition, seekEpoch } = request.context
    const { isolation, deliver, readBytesMax, batchBytesMax } = this.#context
    const { records } = data
    if (records === null || !this.#isAtPosition(request)) return
    const isCurrent = (): boolean => !partition.isDropped && partition.seekEpoch === seekEpoch
    const { topic, partition: index } = partition
    try {
      const loading = codecsFor(records)
      const codecs = loading instanceof Promise ? await loading : loading
      if (!this.#isAtPosition(request)) return
      for (const read of readRecords({
        topic,
        partition: index,
        records,
        from: request.offset,
        isolation,
        abortedTransactions: data.abortedTransactions,
        lastStableOffset: data.lastStableOffset,
        highWatermark: data.highWatermark,
        codecs,
        ...(readBytesMax === undefined ? {} : { readBytesMax }),
        ...(batchBytesMax === undefined ? {} : { batchBytesMax }),
      })) {
        const first = partition.position
        if (read.next === first) {
          if (read.truncatedBytes > 0) throw truncatedBatchError(partition, read.truncatedBytes)
          continue
        }
        partition.position = read.next
        if (read.leaderEpoch >= 0) partition.positionEpoch = read.leaderEpoch
        const { leaderEpoch, raw } = read
        const ends = partition.ends ?? { logStart: -1n, highWatermark: -1n, lastStableOffset: -1n }
        const last = read.next - 1n
        await deliver({
          topic,
          partition: index,
          raw,
          first,
          last,
          leaderEpoch,
          ...timing,
          isCurrent,
          ...ends,
        })
        if (!isCurrent() || partition.isPaused) break
      }
    } catch (error) {
      if (isCurrent() && !this.#context.isClosed())
        this.#context.failPartition(partition, fetchFailureOf(error, partition))
    }
    if (!isCurrent()) return
    // If the estimated next offset was wrong, the response in flight is discarded.
    partition.fetchOffset = partition.position
    if (partition.position !== request.offset) partition.uselessResponses = 0
    else {
      partition.backOff(this.#context.clock.now())
      this.#countUseless(partition, data)
    }
  }

  /** Fails a partition whose responses, one after the other, hold no records of offsets that the broker says it has. */
  #countUseless(partition: FetchPartition, { lastStableOffset, highWatermark }: Result['response']): void {
    const end = this.#context.isolation === 'read_committed' ? lastStableOffset : highWatermark
    if (partition.position >= end || partition.isFailed || ++partition.uselessResponses < USELESS_MAX) return
    const { topic, partition: index, position } = partition
    const detail = `expected records of the offsets from ${position} to ${end - 1n}, got others`
    this.#context.failPartition(
      partition,
      new PipelineError('KD_RECORDS_CORRUPT', detail, { topic, partition: index, offset: position }),
    )
  }

  /**
   * Returns whether a result continues at the position of the partition; otherwise corrects the offset of the next
   * request.
   */
  #isAtPosition(request: FetchPartitionRequest<RequestContext>): boolean {
    const { partition } = request.context
    if (isUnmoved(request) && partition.isFetchable && request.offset === partition.position) return true
    partition.fetchOffset = partition.position
    return false
  }

  /** Returns the time in milliseconds until a partition can be fetched, unless `wake` is called before. */
  #idleMs(): number {
    const now = this.#context.clock.now()
    let notBeforeMs = Infinity
    for (const partition of this.#context.partitions())
      if (partition.isFetchable && partition.nodeId === this.nodeId)
        notBeforeMs = Math.min(notBeforeMs, Math.max(this.#notBeforeMs, partition.notBeforeMs))
    return Math.max(0, notBeforeMs - now)
  }

  async #endSession(): Promise<void> {
    const fields = this.#session.end()
    if (fields === undefined || this.#connection?.isOpen !== true) return
    // A failure is harmless: the broker evicts unused sessions.
    await this.#request(this.#connection, fields, 0, AbortSignal.timeout(SESSION_END_MS)).catch(
      () => undefined,
    )
  }
}

/** Returns whether the partition was neither sought nor dropped since the request. */
function isUnmoved({ context }: FetchPartitionRequest<RequestContext>): boolean {
  return !context.partition.isDropped && context.partition.seekEpoch === context.seekEpoch
}

function truncatedBatchError({ topic, partition, position }: FetchPartition, bytes: number): PipelineError {
  const detail = `expected the complete first batch of ${bytes} bytes, got a part of it`
  return new PipelineError('KD_RECORDS_CORRUPT', detail, { topic, partition, offset: position })
}
