import { PipelineError } from '../../../../src/core/errors.ts'
import {
  APIS,
  type ApiName,
  type ReceivedRequest,
  type RequestBody,
  type ResponseBody,
  type SentResponse,
} from '../../../../src/kafka/wire/apis.ts'
import type { BrokerConnection, RequestOptions } from '../../../../src/kafka/wire/broker.ts'
import type { Cluster, ClusterMetadata, TopicMetadata } from '../../../../src/kafka/wire/cluster.ts'
import { apiCodecOf } from '../../../../src/kafka/wire/codec.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import { NO_UUID } from '../../../../src/kafka/wire/schema.ts'
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../src/kafka/wire/wire-writer.ts'

/** A request as the broker receives it. */
export type AnyRequest = {
  readonly [A in ApiName]: { readonly api: A; readonly body: ReceivedRequest<A> }
}[ApiName]

/** The side of the broker: receives requests and returns responses. */
export interface BrokerSide {
  answer(nodeId: number, request: AnyRequest, client: string): Promise<SentResponse<ApiName>>
}

/** Returns the error of a broken connection. */
export function brokenConnection(detail = 'the connection broke'): PipelineError {
  return new PipelineError('KD_KAFKA_UNREACHABLE', detail)
}

/** Returns the code of an error. */
export function codeOf(name: BrokerErrorName): number {
  return BROKER_ERRORS[name].code
}

/** Versions that a broker supports; the newest of the tables by default. */
export type BrokerVersions = Readonly<Partial<Record<ApiName, number | undefined>>>

/** A connection without sockets: encodes and decodes requests and responses, one request at a time. */
export class LinkedConnection implements BrokerConnection {
  readonly nodeId: number
  readonly client: string
  isOpen = true
  readonly #side: BrokerSide
  readonly #versions: BrokerVersions
  #last: Promise<unknown> = Promise.resolve()
  #broken: ((error: Error) => void) | undefined
  readonly #whenBroken: Promise<never>

  constructor(nodeId: number, client: string, side: BrokerSide, versions: BrokerVersions) {
    this.nodeId = nodeId
    this.client = client
    this.#side = side
    this.#versions = versions
    this.#whenBroken = new Promise((_, reject) => {
      this.#broken = reject
    })
    this.#whenBroken.catch(() => undefined)
  }

  versionOf(api: ApiName): number | undefined {
    return api in this.#versions ? this.#versions[api] : APIS[api].versions[1]
  }

  async request<A extends ApiName>(
    api: A,
    body: RequestBody<A>,
    options: RequestOptions = {},
  ): Promise<ResponseBody<A>> {
    const newest = this.versionOf(api)
    if (!this.isOpen) throw brokenConnection()
    if (newest === undefined) throw new PipelineError('KD_SOURCE_FAILED', `no version of ${api}`)
    const codec = apiCodecOf(api, Math.min(newest, options.versionMax ?? newest))
    const asked = new WireWriter()
    codec.writeRequest(asked, body)
    const request = { api, body: codec.readRequest(new WireReader(asked.toBuffer())) } as AnyRequest
    // A broker processes one request per connection at a time.
    const answered = this.#last.then(() => this.#side.answer(this.nodeId, request, this.client))
    this.#last = answered.catch(() => undefined)
    const { signal } = options
    let abort = (): void => undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(new Error('aborted'))
      if (signal?.aborted === true) abort()
      signal?.addEventListener('abort', abort, { once: true })
    })
    const response = await Promise.race([answered, this.#whenBroken, aborted]).finally(() => {
      signal?.removeEventListener('abort', abort)
    })
    const written = new WireWriter()
    codec.writeResponse(written, response as SentResponse<A>)
    return codec.readResponse(new WireReader(written.toBuffer()))
  }

  /** Breaks the connection; pending requests fail. */
  cut(): void {
    this.isOpen = false
    this.#broken?.(brokenConnection())
  }

  close(): Promise<void> {
    this.cut()
    return Promise.resolve()
  }
}

/** A cluster without sockets, as seen by one client. */
export class LinkedCluster implements Pick<Cluster, 'metadata' | 'broker' | 'coordinator'> {
  /** Node id of the coordinator. */
  coordinatorNode: () => number
  /** Returns whether this client can reach a node. */
  reaches: (nodeId: number) => boolean = () => true
  readonly #client: string
  readonly #side: BrokerSide
  readonly #topics: ReadonlyMap<string, number>
  readonly #versions: BrokerVersions
  #known: number | undefined
  readonly #connections = new Map<string, LinkedConnection>()

  constructor(
    client: string,
    side: BrokerSide,
    topics: ReadonlyMap<string, number>,
    coordinatorNode: () => number,
    versions: BrokerVersions = {},
  ) {
    this.#client = client
    this.#side = side
    this.#topics = topics
    this.#versions = versions
    this.coordinatorNode = coordinatorNode
  }

  metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    if (!this.reaches(0)) return Promise.reject(brokenConnection('no broker answered'))
    return Promise.resolve({
      clusterId: 'c',
      brokers: [],
      topics: new Map(topics.map((name) => [name, this.#places(name)])),
    })
  }

  broker(nodeId: number): Promise<BrokerConnection> {
    return this.#open(nodeId, 'data')
  }

  coordinator(_groupId: string, options: { readonly refresh?: boolean } = {}): Promise<BrokerConnection> {
    if (this.#known === undefined || options.refresh === true) {
      if (!this.reaches(0)) return Promise.reject(brokenConnection('no broker answered'))
      this.#known = this.coordinatorNode()
    }
    return this.#open(this.#known, 'group')
  }

  /** Breaks all connections. */
  cut(nodeId?: number): void {
    for (const connection of this.#connections.values()) {
      if (nodeId === undefined || connection.nodeId === nodeId) connection.cut()
    }
  }

  #open(nodeId: number, use: string): Promise<BrokerConnection> {
    if (!this.reaches(nodeId)) return Promise.reject(brokenConnection(`node ${nodeId} did not answer`))
    const key = `${nodeId} ${use}`
    let connection = this.#connections.get(key)
    if (connection?.isOpen !== true) {
      connection = new LinkedConnection(nodeId, this.#client, this.#side, this.#versions)
      this.#connections.set(key, connection)
    }
    return Promise.resolve(connection)
  }

  #places(name: string): TopicMetadata {
    const count = this.#topics.get(name) ?? 0
    return {
      name,
      topicId: count === 0 ? NO_UUID : topicIdOf(name),
      errorCode: count === 0 ? codeOf('UNKNOWN_TOPIC_OR_PARTITION') : 0,
      isInternal: false,
      partitions: Array.from({ length: count }, (_, partitionIndex) => ({
        partitionIndex,
        errorCode: 0,
        leaderId: 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      })),
    }
  }
}

/** Returns the constant id of a topic. */
export function topicIdOf(name: string): string {
  return Buffer.from(name.padEnd(16, '.')).toString('hex').slice(0, 32)
}
