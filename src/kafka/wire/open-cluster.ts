import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { parseBrokerAddress } from './network/addresses.ts'
import type { ResponseBody } from './apis.ts'
import { backoffMs, type BackoffOptions } from '../../resilience/backoff.ts'
import type { BrokerConnection } from './broker.ts'
import type { BrokerNode, Cluster, ClusterMetadata, LeaderHint } from './cluster.ts'
import { clusterClosedError, ConnectionPool } from './connection-pool.ts'
import { findCoordinator } from './find-coordinator.ts'
import { MetadataCache } from './metadata-cache.ts'
import { AnswerMonitor, type AnswersChange } from './network/answer-monitor.ts'
import { connectBroker, type PooledConnection } from './network/connect.ts'
import { raceStaggered } from './network/race-staggered.ts'
import {
  type BrokerAddress,
  CONNECT_TIMEOUT_MS,
  RESPONSE_TIMEOUT_MS,
  type WireOptions,
} from './network/options.ts'

/** Configures the connections to a cluster. */
export interface ClusterOptions extends WireOptions {
  /** Bootstrap brokers as `host:port`; the other brokers are discovered through them. */
  readonly brokers: readonly string[]
  /** Time after which KD_KAFKA_UNREACHABLE is thrown if no broker responds, in milliseconds; 30,000 by default. */
  readonly reachTimeoutMs?: number
  /** Maximum age of cached metadata in milliseconds; 300,000 by default. */
  readonly metadataAgeMsMax?: number
  /**
   * Pause before reconnecting after the first failure, in milliseconds; 50 by default. It doubles with each failure.
   */
  readonly minBackoffMs?: number
  /** Maximum pause before reconnecting, in milliseconds; 1,000 by default. */
  readonly maxBackoffMs?: number
  /** Maximum number of open connections, in addition to the one for metadata; 256 by default. */
  readonly connectionsMax?: number
  /** Called when the brokers stop to answer, and when one answers for the first time or again. */
  readonly onAnswersChange?: (change: AnswersChange) => void
}

const REACH_MS = 30_000
const METADATA_AGE_MS_MAX = 300_000
const MIN_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 1_000
const CONNECTIONS_MAX = 256
/** Time after which the next broker is tried in parallel with one that has not responded. */
const STAGGER_MS = 1_000
/** Maximum number of known brokers tried in one round, in addition to the bootstrap brokers. */
const CANDIDATES_MAX = 16
/** Minimum interval of metadata requests. */
const REFRESH_PAUSE_MS = 100

/** Creates a cluster; it connects on first use. */
export function openCluster(options: ClusterOptions): Cluster {
  return new LiveCluster(options)
}

class LiveCluster implements Cluster {
  readonly #options: ClusterOptions
  readonly #clock: Clock
  readonly #backoff: Required<Omit<BackoffOptions, 'jitter'>>
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #metadata = new MetadataCache()
  readonly #pool: ConnectionPool
  readonly #answers: AnswerMonitor
  readonly #closed = new AbortController()
  /** Connection for metadata and coordinator requests, so that no fetch delays them. */
  #control: PooledConnection | undefined
  #controlOpening: Promise<PooledConnection> | undefined
  /** Requests in flight by key; callers of the same request share one. */
  readonly #inFlight = new Map<string, Promise<unknown>>()
  readonly #coordinators = new Map<string, number>()
  #refreshedAtMs = -Infinity

  constructor(options: ClusterOptions) {
    const clock = options.clock ?? systemClock
    this.#answers = new AnswerMonitor(clock, (change) => options.onAnswersChange?.(change))
    this.#options = { ...options, answers: this.#answers }
    this.#bootstrap = options.brokers.map(parseBrokerAddress)
    this.#clock = clock
    this.#backoff = {
      minBackoffMs: options.minBackoffMs ?? MIN_BACKOFF_MS,
      maxBackoffMs: options.maxBackoffMs ?? MAX_BACKOFF_MS,
      random: options.random ?? Math.random,
    }
    this.#pool = new ConnectionPool({
      connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
      backoff: this.#backoff,
      clock: this.#clock,
      connect: (nodeId) => this.#connect(nodeId),
    })
  }

  async metadata(
    topics: readonly string[],
    { refresh = false }: { readonly refresh?: boolean } = {},
  ): Promise<ClusterMetadata> {
    const notBeforeMs = this.#clock.now() - (this.#options.metadataAgeMsMax ?? METADATA_AGE_MS_MAX)
    const isCached =
      this.#metadata.nodes.length > 0 && topics.every((topic) => this.#metadata.isFresh(topic, notBeforeMs))
    if (refresh || !isCached) await this.#refresh(topics)
    return this.#metadata.get(topics)
  }

  learnLeader(hint: LeaderHint): void {
    this.#metadata.learnLeader(hint)
  }

  async broker(nodeId: number): Promise<BrokerConnection> {
    if (this.#metadata.node(nodeId) === undefined) await this.#refresh([])
    return this.#pool.get(nodeId, 'data')
  }

  async coordinator(
    groupId: string,
    { refresh = false }: { readonly refresh?: boolean } = {},
  ): Promise<BrokerConnection> {
    const known = this.#coordinators.get(groupId)
    if (!refresh && known !== undefined && this.#pool.isOpen(known, 'group'))
      return this.#pool.get(known, 'group')
    const node = await this.#once(`coordinator ${groupId}`, () => this.#lookUpCoordinator(groupId))
    this.#coordinators.set(groupId, node.nodeId)
    return this.#pool.get(node.nodeId, 'group')
  }

  async close(): Promise<void> {
    this.#closed.abort(clusterClosedError())
    this.#answers.close()
    await this.#pool.close()
    await this.#control?.close()
    this.#control = undefined
  }

  #lookUpCoordinator(groupId: string): Promise<BrokerNode> {
    return this.#retry(async () => {
      const node = await findCoordinator(await this.#controlConnection(), groupId, this.#controlTimeoutMs())
      const known = this.#metadata.node(node.nodeId)
      if (known === undefined) this.#metadata.addNode({ ...node, rack: null })
      else await this.#updateAddress(known, node)
      return this.#metadata.node(node.nodeId) ?? { ...node, rack: null }
    })
  }

  #refresh(topics: readonly string[]): Promise<void> {
    const names = [...new Set(topics)].sort()
    return this.#once(`metadata ${JSON.stringify(names)}`, async () => {
      const pauseMs = this.#refreshedAtMs + REFRESH_PAUSE_MS - this.#clock.now()
      if (pauseMs > 0) await this.#clock.sleep(pauseMs, this.#closed.signal)
      await this.#retry(async () => {
        const control = await this.#controlConnection()
        const version = control.versionOf('Metadata') ?? 0
        const body = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false }
        const response = await control.request('Metadata', body, { timeoutMs: this.#controlTimeoutMs() })
        await this.#update(response, version)
      })
    })
  }

  async #update(response: ResponseBody<'Metadata'>, version: number): Promise<void> {
    const before = this.#metadata.nodes
    this.#metadata.update(response, version, this.#clock.now())
    this.#refreshedAtMs = this.#clock.now()
    for (const node of before) {
      const now = this.#metadata.node(node.nodeId)
      if (now === undefined || now.host !== node.host || now.port !== node.port)
        await this.#pool.drop(node.nodeId)
    }
  }

  /** Notes the new address of a broker and closes the connections to its old address. */
  async #updateAddress(known: BrokerNode, now: Omit<BrokerNode, 'rack'>): Promise<void> {
    if (known.host === now.host && known.port === now.port) return
    this.#metadata.addNode({ ...now, rack: known.rack })
    await this.#pool.drop(now.nodeId)
  }

  async #connect(nodeId: number): Promise<PooledConnection> {
    const node = this.#metadata.node(nodeId)
    if (node === undefined) {
      const detail = `expected broker ${nodeId} in the metadata of the cluster, got none`
      throw new PipelineError('KD_KAFKA_UNREACHABLE', detail, { brokers: this.#options.brokers })
    }
    return connectBroker({ ...node, clusterId: this.#metadata.clusterId }, this.#options)
  }

  #controlConnection(): Promise<PooledConnection> {
    if (this.#closed.signal.aborted) return Promise.reject(clusterClosedError())
    if (this.#control?.isOpen === true) return Promise.resolve(this.#control)
    this.#controlOpening ??= this.#openControl().finally(() => (this.#controlOpening = undefined))
    return this.#controlOpening
  }

  /** Tries the known brokers in random order, then the bootstrap brokers (KIP-899). */
  async #openControl(): Promise<PooledConnection> {
    const known = shuffled(this.#metadata.nodes, this.#backoff.random).map((node) => ({
      ...{ host: node.host, port: node.port, nodeId: node.nodeId, clusterId: this.#metadata.clusterId },
    }))
    const candidates: readonly BrokerAddress[] = [...known.slice(0, CANDIDATES_MAX), ...this.#bootstrap]
    const connection = await raceStaggered(candidates, (address) => connectBroker(address, this.#options), {
      staggerMs: STAGGER_MS,
      clock: this.#clock,
      drop: (late) => void late.close(),
    })
    if (this.#closed.signal.aborted) {
      await connection.close()
      throw clusterClosedError()
    }
    this.#control = connection
    return connection
  }

  #controlTimeoutMs(): number {
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS, requestTimeoutMs = RESPONSE_TIMEOUT_MS } = this.#options
    return Math.min(connectTimeoutMs, requestTimeoutMs)
  }

  /** Retries `act` with backoff while its errors are retryable and `reachTimeoutMs` is not over. */
  async #retry<T>(act: () => Promise<T>): Promise<T> {
    const timeoutMs = this.#options.reachTimeoutMs ?? REACH_MS
    const deadlineMs = this.#clock.now() + timeoutMs
    for (let failures = 1; ; failures++) {
      try {
        return await act()
      } catch (error) {
        const permanent = permanentErrorOf(error)
        if (permanent !== undefined) throw permanent
        if (this.#clock.now() >= deadlineMs) throw this.#timeoutError(timeoutMs, error)
        await this.#clock.sleep(backoffMs(failures, this.#backoff), this.#closed.signal)
      }
    }
  }

  #timeoutError(timeoutMs: number, error: unknown): PipelineError {
    const last = lastOf(error)
    const detail = `expected a response within ${timeoutMs} ms, got: ${messageOf(last)}`
    const code = last instanceof PipelineError ? last.code : 'KD_KAFKA_UNREACHABLE'
    return new PipelineError(
      code,
      detail,
      { brokers: this.#options.brokers },
      { cause: last, retryable: true },
    )
  }

  #once<T>(key: string, act: () => Promise<T>): Promise<T> {
    const running = this.#inFlight.get(key) as Promise<T> | undefined
    if (running !== undefined) return running
    const request = act().finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, request)
    return request
  }
}

/**
 * Returns the error if retrying does not help; for the errors of several brokers, only if this holds for all of them.
 */
function permanentErrorOf(error: unknown): Error | undefined {
  if (!(error instanceof AggregateError)) {
    return error instanceof PipelineError && error.retryable ? undefined : (error as Error)
  }
  const permanent = (error.errors as readonly unknown[]).map(permanentErrorOf)
  return permanent.every((one) => one !== undefined) ? permanent[0] : undefined
}

function lastOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors as readonly unknown[]).at(-1) : error
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
