import { systemClock } from '../../core/clock.ts'
import type { PipelineError } from '../../core/errors.ts'
import { BrokerFetcher } from './broker-fetcher.ts'
import { fetchLimitsOf, type FetchContext } from './fetch-context.ts'
import { fetchFailureOf } from './faults/fetch-failure.ts'
import type { Fetcher, FetcherOptions } from './fetch-options.ts'
import { FetchPartition } from './fetch-partition.ts'
import { LeaderTracker } from './leader-tracker.ts'
import type { ReadObstacle } from './read-obstacles.ts'
import { FetchErrorHandler } from './faults/fetch-error-handler.ts'

/**
 * Creates a fetcher. It buffers at most two responses per broker: the one whose records are being delivered and the
 * next.
 */
export function createFetcher(options: FetcherOptions): Fetcher {
  return new ClusterFetcher(options)
}

class ClusterFetcher implements Fetcher {
  readonly #partitions = new Map<string, FetchPartition>()
  readonly #brokers = new Map<number, BrokerFetcher>()
  readonly #running: Promise<void>[] = []
  readonly #closing = new AbortController()
  readonly #context: FetchContext
  readonly #leaders: LeaderTracker
  readonly #errorHandler: FetchErrorHandler

  constructor(options: FetcherOptions) {
    const clock = options.clock ?? systemClock
    this.#context = {
      ...options,
      ...fetchLimitsOf(options),
      clock,
      isClosed: () => this.#closing.signal.aborted,
      partitions: () => this.#partitions.values(),
      failPartition: (partition, error) => {
        this.#fail(partition, error)
      },
      requestLeaderLookup: () => {
        this.#leaders.requestLookup()
      },
      wakeBroker: (partition) => {
        this.#wakeBroker(partition)
      },
      sleep: (ms) => clock.sleep(ms, this.#closing.signal).catch(() => undefined),
    }
    this.#leaders = new LeaderTracker(this.#context)
    this.#errorHandler = new FetchErrorHandler(this.#context, this.#leaders)
    this.#start(this.#leaders.run())
  }

  seek(topic: string, partition: number, offset: bigint, leaderEpoch = -1, topicId?: string): void {
    const key = keyOf(topic, partition)
    const known = this.#partitions.get(key)
    const sought = { offset, leaderEpoch, topicId }
    if (known === undefined) {
      this.#partitions.set(key, new FetchPartition(topic, partition, sought))
    } else {
      known.seek(sought)
      this.#wakeBroker(known)
    }
    this.#leaders.wake()
  }

  drop(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition))
    if (known === undefined) return
    known.isDropped = true
    this.#partitions.delete(keyOf(topic, partition))
  }

  pause(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition))
    if (known !== undefined) known.isPaused = true
  }

  resume(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition))
    if (known?.isPaused !== true) return
    known.isPaused = false
    known.fetchOffset = known.position
    this.#wakeBroker(known)
  }

  position(topic: string, partition: number): bigint | undefined {
    return this.#partitions.get(keyOf(topic, partition))?.position
  }

  ends(topic: string, partition: number): ReturnType<Fetcher['ends']> {
    return this.#partitions.get(keyOf(topic, partition))?.ends
  }

  obstacle(topic: string, partition: number): ReadObstacle | undefined {
    const known = this.#partitions.get(keyOf(topic, partition))
    if (known?.isFetchable !== true) return undefined
    return known.obstacle ?? this.#brokers.get(known.nodeId)?.obstacle
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#leaders.wake()
    for (const broker of this.#brokers.values()) broker.close()
    await Promise.all(this.#running)
  }

  /** Keeps a running part until `close`; its error, a fault of the program, fails all partitions. */
  #start(running: Promise<void>): void {
    const guarded = running.catch((error: unknown) => {
      for (const partition of [...this.#partitions.values()])
        if (!partition.isFailed) this.#fail(partition, fetchFailureOf(error, partition))
    })
    this.#running.push(guarded)
  }

  #fail(partition: FetchPartition, error: PipelineError): void {
    partition.isFailed = true
    const { topic, partition: index } = partition
    this.#context.onEvent({ kind: 'failed', topic, partition: index, error })
  }

  #wakeBroker(partition: FetchPartition): void {
    const { nodeId } = partition
    if (nodeId < 0 || this.#context.isClosed()) return
    let broker = this.#brokers.get(nodeId)
    if (broker === undefined) {
      broker = new BrokerFetcher(nodeId, this.#context, this.#errorHandler)
      this.#brokers.set(nodeId, broker)
      this.#start(broker.run())
    }
    broker.wake()
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
