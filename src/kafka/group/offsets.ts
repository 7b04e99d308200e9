import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import { errorNameOf } from '../wire/error-codes.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { OwnedPartition } from './ownership.ts'
import { keyOfPartition, type TopicPartition } from './partitions.ts'
import { type GroupStep, type GroupReaction, groupReactionTo } from './group-reactions.ts'

const COMMIT_MS_MAX = 5_000
const FETCH_MS_MAX = 30_000
/** Newest version that identifies topics by name; version 10 uses topic ids. */
const COMMIT_VERSION_MAX = 9
const FETCH_VERSION_MAX = 9
/** First version of OffsetFetch with a list of groups; from version 9 on it carries the member epoch. */
const FETCH_GROUPS_VERSION = 8
const FETCH_STABLE_VERSION = 7

/** Describes an offset to commit; `next` is the first offset that is not processed. */
export interface OffsetToCommit extends OwnedPartition {
  readonly next: bigint
  readonly leaderEpoch?: number
  /** Text that is stored with the offset. */
  readonly metadata?: string
}

/** Describes an offset that the group has committed. */
export interface CommittedOffset extends TopicPartition {
  readonly next: bigint
  /** -1 if it was committed without one. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** Describes the result of an offset commit. */
export interface OffsetCommitResult {
  readonly committed: readonly TopicPartition[]
  /** Partitions that were skipped because they are no longer owned. */
  readonly abandoned: readonly TopicPartition[]
  /** Partitions that the coordinator refused, with the name of the error. */
  readonly refused: readonly (TopicPartition & { readonly error: string })[]
}

/** Identifies a member in requests to the coordinator; a new object for every generation or member epoch. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generation: number
}

/** Provides the state of a member that committing offsets needs. */
export interface OffsetsMember {
  readonly groupId: string
  readonly instanceId: string | null
  readonly protocol: 'classic' | 'consumer'
  identity(): MemberIdentity
  owns(partition: OwnedPartition): boolean
  isConnectionBlocked(): boolean
  applyReaction(step: GroupStep, reaction: GroupReaction, errorCode: number): void
  fail(error: PipelineError): void
}

/** Commits and reads the offsets of a group as one of its members. */
export class GroupOffsetStore {
  readonly #member: OffsetsMember
  readonly #caller: CoordinatorClient
  readonly #clock: Clock

  constructor(member: OffsetsMember, caller: CoordinatorClient, clock: Clock) {
    this.#member = member
    this.#caller = caller
    this.#clock = clock
  }

  /** Implements `GroupMembership.commit`. */
  async commit(positions: readonly OffsetToCommit[]): Promise<OffsetCommitResult> {
    return this.#within(COMMIT_MS_MAX, 'did not accept the offset commit', async (signal) => {
      for (let attempt = 0; !signal.aborted; attempt++) {
        const owned = positions.filter((position) => this.#member.owns(position))
        if (owned.length === 0) return outcomeOf(positions, [], new Map())
        let sent = this.#member.identity()
        const end = await this.#caller.call({
          step: 'commit',
          api: 'OffsetCommit',
          body: () => this.#commitBody((sent = this.#member.identity()), owned),
          errorCodeOf: (response) => requestErrorOf('commit', codesOf(response)),
          timeoutMs: COMMIT_MS_MAX,
          versionMax: COMMIT_VERSION_MAX,
          signal,
          isConnectionBlocked: () => this.#member.isConnectionBlocked(),
        })
        if (end.kind === 'answered') return outcomeOf(positions, owned, codesOf(end.response))
        await this.#handleFailure('commit', end, sent, attempt, signal)
      }
      return undefined
    })
  }

  /** Implements `GroupMembership.committedOffsets`. */
  async read(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#within(FETCH_MS_MAX, 'did not return the committed offsets', async (signal) => {
      for (let attempt = 0; !signal.aborted; attempt++) {
        let sent = this.#member.identity()
        const end = await this.#caller.call({
          step: 'offsets',
          api: 'OffsetFetch',
          body: (connection) => this.#fetchBody(connection, (sent = this.#member.identity()), partitions),
          errorCodeOf: (response) => requestErrorOf('offsets', fetchCodesOf(response)),
          timeoutMs: FETCH_MS_MAX,
          versionMax: FETCH_VERSION_MAX,
          signal,
          isConnectionBlocked: () => this.#member.isConnectionBlocked(),
        })
        if (end.kind === 'answered') return committedOffsetsOf(end.response)
        await this.#handleFailure('offsets', end, sent, attempt, signal)
      }
      return undefined
    })
  }

  /** Applies the reaction to a refusal, unless the identity of the member changed since the request. */
  async #handleFailure(
    step: GroupStep,
    end: {
      readonly kind: string
      readonly reaction?: GroupReaction
      readonly errorCode?: number
      readonly error?: PipelineError
    },
    sent: MemberIdentity,
    attempt: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (end.error !== undefined) {
      this.#member.fail(end.error)
      throw end.error
    }
    if (end.reaction === undefined || end.errorCode === undefined) return
    if (sent === this.#member.identity()) this.#member.applyReaction(step, end.reaction, end.errorCode)
    await this.#caller.pause(step, errorNameOf(end.errorCode), attempt, signal)
  }

  async #within<T>(
    msMax: number,
    what: string,
    run: (signal: AbortSignal) => Promise<T | undefined>,
  ): Promise<T> {
    const late = new AbortController()
    const over = new AbortController()
    this.#clock.sleep(msMax, over.signal).then(
      () => late.abort(),
      () => undefined,
    )
    try {
      const result = await run(late.signal)
      if (result !== undefined) return result
    } finally {
      over.abort()
    }
    const { groupId } = this.#member
    throw new PipelineError('KD_SOURCE_FAILED', `the coordinator ${what} within ${msMax} ms`, { groupId })
  }

  #commitBody(
    { memberId, generation }: MemberIdentity,
    positions: readonly OffsetToCommit[],
  ): RequestBody<'OffsetCommit'> {
    const { groupId, instanceId } = this.#member
    const topics = new Map<string, OffsetToCommit[]>()
    for (const position of positions)
      topics.set(position.topic, [...(topics.get(position.topic) ?? []), position])
    return {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: instanceId,
      topics: [...topics].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, next, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: next,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? null,
        })),
      })),
    }
  }

  #fetchBody(
    connection: BrokerConnection,
    { memberId, generation }: MemberIdentity,
    partitions: readonly TopicPartition[],
  ): RequestBody<'OffsetFetch'> {
    const { groupId, protocol } = this.#member
    const version = Math.min(connection.versionOf('OffsetFetch') ?? 0, FETCH_VERSION_MAX)
    const numbers = new Map<string, number[]>()
    for (const { topic, partition } of partitions)
      numbers.set(topic, [...(numbers.get(topic) ?? []), partition])
    const topics = [...numbers].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
    const requireStable = version >= FETCH_STABLE_VERSION
    if (version < FETCH_GROUPS_VERSION) return { groupId, topics, requireStable }
    const asMember = protocol === 'consumer' ? { memberId, memberEpoch: generation } : {}
    return { groups: [{ groupId, topics, ...asMember }], requireStable }
  }
}

/** Error codes by partition, in the order of the response. */
type Codes = ReadonlyMap<string, number>

/** Returns the error code that concerns the whole request: the first one that does not concern only its partition. */
function requestErrorOf(step: GroupStep, codes: Codes): number {
  for (const code of codes.values())
    if (code !== 0 && groupReactionTo(step, code).kind !== 'refuse') return code
  return 0
}

function codesOf({ topics }: ResponseBody<'OffsetCommit'>): Codes {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [
        keyOfPartition({ topic: name, partition: partitionIndex }),
        errorCode,
      ]),
    ),
  )
}

function outcomeOf(
  positions: readonly OffsetToCommit[],
  sent: readonly OffsetToCommit[],
  codes: Codes,
): OffsetCommitResult {
  const plain = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })
  const codeOf = (position: OffsetToCommit): number | undefined => codes.get(keyOfPartition(position))
  return {
    committed: sent.filter((position) => codeOf(position) === 0).map(plain),
    abandoned: positions.filter((position) => !sent.includes(position)).map(plain),
    refused: sent
      .filter((position) => codeOf(position) !== 0)
      .map((position) => ({ ...plain(position), error: errorNameOf(codeOf(position) ?? -1) })),
  }
}

/** Returns the topics of a response in the form that all versions share. */
function fetchedTopics(response: ResponseBody<'OffsetFetch'>): ResponseBody<'OffsetFetch'>['topics'] {
  const [group] = response.groups
  return group === undefined ? response.topics : group.topics
}

function fetchCodesOf(response: ResponseBody<'OffsetFetch'>): Codes {
  const whole = response.groups[0]?.errorCode ?? response.errorCode
  return new Map([
    ['', whole],
    ...fetchedTopics(response).flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, errorCode }) =>
          [keyOfPartition({ topic: name, partition: partitionIndex }), errorCode] as const,
      ),
    ),
  ])
}

function committedOffsetsOf(response: ResponseBody<'OffsetFetch'>): readonly CommittedOffset[] {
  return fetchedTopics(response).flatMap(({ name, partitions }) =>
    partitions
      .filter(({ errorCode, committedOffset }) => errorCode === 0 && committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => ({
        topic: name,
        partition: partitionIndex,
        next: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata,
      })),
  )
}
