import type { ReceivedRequest } from '../../kafka/wire/apis.ts'
import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'

/** A partition that a client fetches. */
export interface FetchedPartition {
  /** Empty in versions with topic ids. */
  readonly name: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly bytesMax: number
}

/** Holds what a client knows of a partition in its session. */
interface Told {
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
}

interface Session {
  readonly id: number
  epoch: number
  readonly partitions: Map<string, FetchedPartition>
  readonly told: Map<string, Told>
}

/** Describes what a request asks for, together with its session. */
export interface SessionAnswer {
  /** 0 without a session. */
  readonly id: number
  /** True when only partitions with news are returned. */
  readonly isIncremental: boolean
  readonly partitions: readonly FetchedPartition[]
  /** Returns whether the client has to be told of a partition, and remembers what it is told. */
  readonly isNews: (
    asked: FetchedPartition,
    answer: Told & { readonly errorCode: number; readonly records: Uint8Array },
  ) => boolean
}

const FINAL_EPOCH = -1
const EPOCH_MAX = 0x7fff_ffff
/** Sessions that are kept; the one that was used longest ago goes first. */
const SESSIONS_MAX = 1_000

/** Keeps the fetch sessions of clients: which partitions each of them reads and from where. Spec: KIP-227. */
export class FetchSessions {
  readonly #sessions = new Map<number, Session>()
  #nextId = 1

  /** Returns what a request asks for; opens, continues or closes its session. */
  open(body: ReceivedRequest<'Fetch'>): SessionAnswer | { readonly fault: BrokerErrorName } {
    const { sessionId, sessionEpoch } = body
    const asked = partitionsOf(body)
    if (sessionEpoch === FINAL_EPOCH || (sessionEpoch === 0 && sessionId !== 0))
      this.#sessions.delete(sessionId)
    if (sessionEpoch === FINAL_EPOCH) return whole(asked, 0)
    if (sessionEpoch === 0) return whole(asked, this.#create(asked).id)
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return { fault: 'FETCH_SESSION_ID_NOT_FOUND' }
    if (sessionEpoch !== session.epoch) return { fault: 'INVALID_FETCH_SESSION_EPOCH' }
    session.epoch = session.epoch === EPOCH_MAX ? 1 : session.epoch + 1
    this.#sessions.delete(sessionId)
    this.#sessions.set(sessionId, session)
    for (const one of asked) session.partitions.set(keyOf(one), one)
    for (const { topic: name, topicId, partitions } of body.forgottenTopicsData)
      for (const partition of partitions) session.partitions.delete(keyOf({ name, topicId, partition }))
    return {
      ...{ id: sessionId, isIncremental: true, partitions: [...session.partitions.values()] },
      isNews: (one, answer) => isNews(session, one, answer),
    }
  }

  #create(asked: readonly FetchedPartition[]): Session {
    const id = this.#nextId++
    const session: Session = {
      ...{ id, epoch: 1, partitions: new Map(asked.map((one) => [keyOf(one), one])), told: new Map() },
    }
    this.#sessions.set(id, session)
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size > SESSIONS_MAX && oldest !== undefined) this.#sessions.delete(oldest)
    return session
  }
}

function whole(partitions: readonly FetchedPartition[], id: number): SessionAnswer {
  return { id, isIncremental: false, partitions, isNews: () => true }
}

function isNews(
  { told }: Session,
  asked: FetchedPartition,
  answer: Told & { readonly errorCode: number; readonly records: Uint8Array },
): boolean {
  const key = keyOf(asked)
  const before = told.get(key)
  const { highWatermark, lastStableOffset, logStartOffset } = answer
  told.set(key, { highWatermark, lastStableOffset, logStartOffset })
  return (
    answer.records.length > 0 ||
    answer.errorCode !== 0 ||
    before?.highWatermark !== highWatermark ||
    before.lastStableOffset !== lastStableOffset ||
    before.logStartOffset !== logStartOffset
  )
}

function partitionsOf({ topics }: ReceivedRequest<'Fetch'>): FetchedPartition[] {
  return topics.flatMap(({ topic: name, topicId, partitions }) =>
    partitions.map(({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes }) => ({
      ...{ name, topicId, partition, currentLeaderEpoch, fetchOffset },
      bytesMax: partitionMaxBytes,
    })),
  )
}

function keyOf({
  name,
  topicId,
  partition,
}: Pick<FetchedPartition, 'name' | 'topicId' | 'partition'>): string {
  return `${name} ${topicId} ${partition}`
}
