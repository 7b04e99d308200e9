import { setTimeout as sleep } from 'node:timers/promises'
import { PipelineError } from '../../../../src/core/errors.ts'
import type { Clock } from '../../../../src/core/clock.ts'
import {
  APIS,
  type ApiName,
  type ReceivedRequest,
  type RequestBody,
  type ResponseBody,
  type SentResponse,
} from '../../../../src/kafka/wire/apis.ts'
import type { BrokerConnection, RequestOptions } from '../../../../src/kafka/wire/broker.ts'
import type { BrokerNode, Cluster, ClusterMetadata, LeaderHint } from '../../../../src/kafka/wire/cluster.ts'
import { apiCodecOf } from '../../../../src/kafka/wire/codec.ts'
import { decodeStructure } from '../../../../src/kafka/wire/decode.ts'
import { encodeStructure } from '../../../../src/kafka/wire/encode.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import { encodeBatch } from '../../records/support/encode.ts'
import { answerFetch, type FakeSession } from './fake-fetch.ts'

/** Speed of the clock in these tests, relative to real time. */
const SPEED = 20

/** A clock that is faster than real time. */
export const fastClock: Clock = {
  now: () => Date.now() * SPEED,
  sleep: (ms, signal) => sleep(ms / SPEED, undefined, signal === undefined ? {} : { signal }),
}

/** A partition of the fake cluster. */
export class FakePartition {
  leaderId = 1
  leaderEpoch = 5
  logStart = 0n
  end = 0n
  /** Start of the first open transaction; `undefined` if there is none. */
  stable: bigint | undefined
  /** Error codes of the next fetches. */
  readonly refusals: BrokerErrorName[] = []
  /** The preferred replica in responses of the leader. */
  preferred: number | undefined
  /** The offset at which the log was truncated after an epoch. */
  diverging: { readonly epoch: number; readonly endOffset: bigint } | undefined
  readonly entries: { readonly first: bigint; readonly last: bigint; readonly bytes: Buffer }[] = []

  /** Appends a batch with these values. */
  append(...values: readonly string[]): void {
    const records = values.map((value) => ({ value: Buffer.from(value) }))
    this.appendBytes(
      BigInt(values.length),
      encodeBatch({ baseOffset: this.end, records, leaderEpoch: this.leaderEpoch }),
    )
  }

  appendBytes(count: bigint, bytes: Buffer): void {
    this.entries.push({ first: this.end, last: this.end + count - 1n, bytes })
    this.end += count
  }
}

/** A topic of the fake cluster. */
export interface FakeTopic {
  id: string
  partitions: FakePartition[]
}

/** The reaction of a broker to a scripted request. */
export type FakeTurn = 'serve' | 'hang' | 'break' | Error | SentResponse<'Fetch'>

/** Brokers in memory; each request and response is encoded and decoded with the field tables. */
export class FakeCluster implements Pick<Cluster, 'metadata' | 'learnLeader' | 'broker'> {
  readonly topics = new Map<string, FakeTopic>()
  readonly brokers = new Map<number, FakeBroker>()
  readonly hints: LeaderHint[] = []
  lookUps = 0
  /** Topics that are missing in metadata. */
  readonly hidden = new Set<string>()
  /** Errors of the next metadata requests. */
  readonly metadataFailures: Error[] = []

  constructor(nodes: readonly number[] = [1, 2]) {
    for (const nodeId of nodes) this.brokers.set(nodeId, new FakeBroker(nodeId, this))
  }

  create(name: string, partitions: number, id = name.length.toString(16).padStart(32, 'a')): FakeTopic {
    const topic = { id, partitions: Array.from({ length: partitions }, () => new FakePartition()) }
    this.topics.set(name, topic)
    return topic
  }

  metadata(names: readonly string[]): Promise<ClusterMetadata> {
    this.lookUps++
    const failure = this.metadataFailures.shift()
    if (failure !== undefined) return Promise.reject(failure)
    const topics = names.map((name) => {
      const topic = this.hidden.has(name) ? undefined : this.topics.get(name)
      const partitions = (topic?.partitions ?? []).map((each, partitionIndex) => ({
        partitionIndex,
        errorCode: 0,
        leaderId: each.leaderId,
        leaderEpoch: each.leaderEpoch,
        replicaNodes: [1, 2],
        isrNodes: [1, 2],
        offlineReplicas: [],
      }))
      const errorCode = topic === undefined ? BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code : 0
      const topicId = topic?.id ?? '0'.repeat(32)
      return [name, { name, topicId, errorCode, isInternal: false, partitions }] as const
    })
    return Promise.resolve({ clusterId: 'fake', brokers: this.nodes(), topics: new Map(topics) })
  }

  learnLeader(hint: LeaderHint): void {
    this.hints.push(hint)
  }

  broker(nodeId: number): Promise<BrokerConnection> {
    const broker = this.brokers.get(nodeId)
    if (broker === undefined)
      return Promise.reject(new PipelineError('KD_KAFKA_UNREACHABLE', `no broker ${nodeId}`))
    return Promise.resolve(broker)
  }

  nodes(): BrokerNode[] {
    return [...this.brokers.keys()].map((nodeId) => ({ nodeId, host: 'fake', port: nodeId, rack: null }))
  }
}

/** One broker of the fake cluster. */
export class FakeBroker implements BrokerConnection {
  readonly nodeId: number
  readonly isOpen = true
  /** Newest supported version of Fetch. */
  fetchVersion = 17
  /** Reactions to the next fetch requests; further requests are served normally. */
  readonly script: FakeTurn[] = []
  /** Received fetch requests, in order. */
  readonly fetches: {
    readonly version: number
    readonly body: ReceivedRequest<'Fetch'>
    readonly options: RequestOptions
  }[] = []
  readonly sessions = new Map<number, FakeSession>()
  /** Error codes of the next partitions in ListOffsets. */
  readonly offsetRefusals: BrokerErrorName[] = []
  /** True if the broker supports fetch sessions. */
  keepsSessions = true
  inFlight = 0
  inFlightMax = 0
  readonly #cluster: FakeCluster

  constructor(nodeId: number, cluster: FakeCluster) {
    this.nodeId = nodeId
    this.#cluster = cluster
  }

  versionOf(api: ApiName): number {
    return api === 'Fetch' ? this.fetchVersion : APIS[api].versions[1]
  }

  async request<A extends ApiName>(
    api: A,
    body: RequestBody<A>,
    options: RequestOptions = {},
  ): Promise<ResponseBody<A>> {
    const version = Math.min(this.versionOf(api), options.versionMax ?? Infinity)
    const codec = apiCodecOf(api, version)
    const received = decodeStructure(codec.readRequest, encodeStructure(codec.writeRequest, body))
    this.inFlightMax = Math.max(this.inFlightMax, ++this.inFlight)
    try {
      const response =
        api === 'Fetch'
          ? await this.#fetch(received as ReceivedRequest<'Fetch'>, version, options)
          : this.#listOffsets(received as ReceivedRequest<'ListOffsets'>)
      return decodeStructure(
        codec.readResponse,
        encodeStructure(codec.writeResponse, response as SentResponse<A>),
      )
    } finally {
      this.inFlight--
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #fetch(
    body: ReceivedRequest<'Fetch'>,
    version: number,
    options: RequestOptions,
  ): Promise<SentResponse<'Fetch'>> {
    this.fetches.push({ version, body, options })
    const turn = this.script.shift() ?? 'serve'
    if (turn instanceof Error) throw turn
    if (turn === 'break') throw new PipelineError('KD_KAFKA_UNREACHABLE', 'the connection broke')
    if (turn === 'hang') {
      const { promise, reject } = withResolvers()
      options.signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      setTimeout(
        () => reject(new PipelineError('KD_KAFKA_UNREACHABLE', 'no answer in time')),
        ((options.timeoutMs ?? 0) + body.maxWaitMs) / SPEED,
      )
      return promise
    }
    if (turn !== 'serve') return turn
    for (let waitedMs = 0; ; waitedMs += 20) {
      const response = answerFetch(this.#cluster, this, body, version)
      const isEmpty = !hasNews(response)
      if (!isEmpty || response.errorCode !== undefined || waitedMs >= body.maxWaitMs) {
        const session = this.sessions.get(response.sessionId ?? 0)
        for (const [asked, told] of session?.telling ?? []) asked.told = told
        return response
      }
      await sleep(20 / SPEED)
      if (options.signal?.aborted === true) throw new Error('aborted')
    }
  }

  /** The timestamp of a record is its offset. */
  #listOffsets({ topics, isolationLevel }: ReceivedRequest<'ListOffsets'>): SentResponse<'ListOffsets'> {
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const refusal = this.offsetRefusals.shift()
          if (refusal !== undefined) return { partitionIndex, errorCode: BROKER_ERRORS[refusal].code }
          const partition = this.#cluster.topics.get(name)?.partitions[partitionIndex]
          if (partition?.leaderId !== this.nodeId)
            return { partitionIndex, errorCode: BROKER_ERRORS.NOT_LEADER_OR_FOLLOWER.code }
          const { end, stable = end, logStart, leaderEpoch } = partition
          const latest = isolationLevel === 1 ? stable : end
          const byTime = timestamp < end ? timestamp : -1n
          const offset = timestamp === -2n ? logStart : timestamp === -1n ? latest : byTime
          return { partitionIndex, errorCode: 0, offset, leaderEpoch }
        }),
      })),
    }
  }
}

/** Returns whether a broker would respond at once. */
function hasNews({ responses }: SentResponse<'Fetch'>): boolean {
  return responses.some(({ partitions }) =>
    partitions.some(
      ({ errorCode, records, preferredReadReplica, divergingEpoch }) =>
        errorCode !== 0 ||
        (records?.length ?? 0) > 0 ||
        preferredReadReplica !== undefined ||
        divergingEpoch !== undefined,
    ),
  )
}

function withResolvers(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<never>((_, rejecting) => {
    reject = rejecting
  })
  return { promise, reject }
}
