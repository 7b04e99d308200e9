import { NO_UUID } from '../wire/schema.ts'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'

/** Describes a partition to fetch; `T` is a value of the caller that is returned with the response. */
export interface FetchPartitionRequest<T> {
  readonly topic: string
  /** 32 hex digits; `undefined` if the broker does not report topic ids. */
  readonly topicId: string | undefined
  readonly partition: number
  readonly leaderEpoch: number
  readonly offset: bigint
  readonly lastFetchedEpoch: number
  readonly context: T
}

type SessionFieldName = 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'

/** Describes the fields of a fetch request that concern the session and its partitions. */
type FetchSessionFields = {
  readonly [K in SessionFieldName]: NonNullable<RequestBody<'Fetch'>[K]>
} & { readonly versionMax: number | undefined }

/** Pairs the response of a partition with its request. */
export interface FetchPartitionResult<T> {
  readonly request: FetchPartitionRequest<T>
  readonly response: FetchPartitionResponse
}

/** Describes a partition in a fetch response. */
export type FetchPartitionResponse = ResponseBody<'Fetch'>['responses'][number]['partitions'][number]

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
/** Newest version that identifies topics by name. */
const NAMES_VERSION_MAX = 12
/** First version that checks the epoch of the last record. */
const EPOCHS_VERSION_MIN = 12

/**
 * Manages a fetch session with one broker (KIP-227): in an open session, a request contains only the partitions that
 * changed since the last request, and a response only those with news. Supports one request at a time.
 */
export class FetchSession<T> {
  readonly #partitionBytesMax: number
  #id = 0
  #epoch = INITIAL_EPOCH
  #usesIds = false
  /** Partitions in the broker's session by topic (id or name) and partition, in the order of requests. */
  #partitions = new Map<string, FetchPartitionRequest<T>>()

  constructor(partitionBytesMax: number) {
    this.#partitionBytesMax = partitionBytesMax
  }

  /** Returns the fields of the next request: all partitions in a new session, otherwise only the changes. */
  next(requests: readonly FetchPartitionRequest<T>[]): FetchSessionFields {
    const usesIds = requests.every(({ topicId }) => topicId !== undefined)
    if (usesIds !== this.#usesIds && this.#epoch !== INITIAL_EPOCH) this.replace()
    this.#usesIds = usesIds
    const isNew = this.#epoch === INITIAL_EPOCH
    if (isNew) this.#partitions = new Map()
    const left = new Map(this.#partitions)
    const changed: FetchPartitionRequest<T>[] = []
    for (const each of requests) {
      const key = this.#keyOf(each)
      const before = left.get(key)
      left.delete(key)
      // Replaces unchanged partitions too, because their context may have changed.
      this.#partitions.set(key, each)
      if (before === undefined || !isSame(before, each)) changed.push(each)
    }
    for (const key of left.keys()) this.#partitions.delete(key)
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: this.#byTopic(changed, (each) => ({
        partition: each.partition,
        currentLeaderEpoch: each.leaderEpoch,
        fetchOffset: each.offset,
        lastFetchedEpoch: each.lastFetchedEpoch,
        partitionMaxBytes: this.#partitionBytesMax,
      })),
      forgottenTopicsData: this.#byTopic([...left.values()], ({ partition }) => partition),
      versionMax: usesIds ? undefined : NAMES_VERSION_MAX,
    }
  }

  /**
   * Accepts a response without an error code and returns its partitions with their requests. Returns `undefined` if the
   * response does not match the request: nothing of it may be used, and the next request starts a new session.
   */
  accept({ sessionId, responses }: ResponseBody<'Fetch'>): FetchPartitionResult<T>[] | undefined {
    const results: FetchPartitionResult<T>[] = []
    for (const { topic, topicId, partitions } of responses)
      for (const response of partitions) {
        const request = this.#partitions.get(`${this.#usesIds ? topicId : topic} ${response.partitionIndex}`)
        if (request === undefined) {
          this.replace()
          return undefined
        }
        results.push({ request, response })
      }
    if (this.#epoch === INITIAL_EPOCH && results.length !== this.#partitions.size) {
      // A throttling broker responds without partitions.
      this.renew()
      return undefined
    }
    if (sessionId === 0) this.renew()
    else {
      this.#id = sessionId
      this.#epoch = this.#epoch === 0x7fff_ffff ? 1 : this.#epoch + 1
    }
    return results
  }

  /** Starts a new session with the next request; for use if the broker has no session. */
  renew(): void {
    this.#id = 0
    this.#epoch = INITIAL_EPOCH
  }

  /** Starts a new session with the next request, which also ends the session that the broker may still have. */
  replace(): void {
    this.#epoch = INITIAL_EPOCH
  }

  /** Returns the fields of a request that ends the session; `undefined` if there is no session. */
  end(): FetchSessionFields | undefined {
    if (this.#id === 0) return undefined
    const sessionId = this.#id
    this.renew()
    const none = {
      topics: [],
      forgottenTopicsData: [],
      versionMax: this.#usesIds ? undefined : NAMES_VERSION_MAX,
    }
    return { sessionId, sessionEpoch: FINAL_EPOCH, ...none }
  }

  #keyOf({ topic, topicId, partition }: FetchPartitionRequest<T>): string {
    return `${this.#usesIds ? topicId : topic} ${partition}`
  }

  #byTopic<P>(
    partitions: readonly FetchPartitionRequest<T>[],
    map: (each: FetchPartitionRequest<T>) => P,
  ): { topic: string; topicId: string; partitions: P[] }[] {
    const topics = new Map<string, { topic: string; topicId: string; partitions: P[] }>()
    for (const each of partitions) {
      const id = this.#usesIds ? (each.topicId ?? NO_UUID) : NO_UUID
      const key = this.#usesIds ? id : each.topic
      let topic = topics.get(key)
      if (topic === undefined) topics.set(key, (topic = { topic: each.topic, topicId: id, partitions: [] }))
      topic.partitions.push(map(each))
    }
    return [...topics.values()]
  }
}

function isSame<T>(a: FetchPartitionRequest<T>, b: FetchPartitionRequest<T>): boolean {
  return a.offset === b.offset && a.leaderEpoch === b.leaderEpoch && a.lastFetchedEpoch === b.lastFetchedEpoch
}

/** Returns a request without the fields that a version of Fetch cannot carry. */
export function supportedFields<T>(
  version: number,
  request: FetchPartitionRequest<T>,
): FetchPartitionRequest<T> {
  if (version > NAMES_VERSION_MAX) return request
  const lastFetchedEpoch = version < EPOCHS_VERSION_MIN ? -1 : request.lastFetchedEpoch
  return { ...request, topicId: undefined, lastFetchedEpoch }
}
