import assert from 'node:assert/strict'
import type { PipelineError } from '../../../../src/core/errors.ts'
import { ClassicMember } from '../../../../src/kafka/group/classic-member.ts'
import { ConsumerProtocolMember } from '../../../../src/kafka/group/consumer-protocol-member.ts'
import type { GroupMember } from '../../../../src/kafka/group/member.ts'
import type { GroupOptions } from '../../../../src/kafka/group/membership.ts'
import type { TopicPartition } from '../../../../src/kafka/group/partitions.ts'
import { encodeAssignment } from '../../../../src/kafka/group/subscription.ts'
import type { ApiName, ReceivedRequest, SentResponse } from '../../../../src/kafka/wire/apis.ts'
import type { BrokerErrorName } from '../../../../src/kafka/wire/error-codes.ts'
import { Recording } from './recording.ts'
import { SimClock } from './sim-clock.ts'
import {
  type AnyRequest,
  type BrokerSide,
  type BrokerVersions,
  codeOf,
  LinkedCluster,
  topicIdOf,
} from './wire-link.ts'

type Script = (request: AnyRequest) => SentResponse<ApiName> | Promise<SentResponse<ApiName>>

/** A coordinator of one member with scripted responses; by default it behaves like a healthy one. */
export class ScriptedCoordinator implements BrokerSide {
  readonly clock = new SimClock()
  readonly requests: AnyRequest[] = []
  readonly topics = new Map([['a', 4]])
  readonly recording = new Recording()
  readonly cluster: LinkedCluster
  /** Assignment in the next response to SyncGroup or a heartbeat. */
  assigned: readonly TopicPartition[]
  generation = 0
  /** True if the member is the leader. */
  isLeader = false
  protocolName = 'cooperative-sticky'
  /** Node id of the coordinator. */
  node = 1
  readonly #scripts: { readonly api: ApiName; readonly script: Script }[] = []
  #names = 0

  constructor(versions: BrokerVersions = {}) {
    this.assigned = partitionsOf('a', 0, 1)
    this.cluster = new LinkedCluster('client', this, this.topics, () => this.node, versions)
  }

  /** Starts the member. */
  member(options: Partial<GroupOptions> = {}): GroupMember {
    const all: GroupOptions = {
      cluster: this.cluster,
      groupId: 'g',
      topics: ['a'],
      callbacks: this.recording,
      onEvent: this.recording.onEvent,
      clock: this.clock,
      random: () => 0.5,
      newMemberId: () => 'made-here',
      ...options,
    }
    const member = all.protocol === 'consumer' ? new ConsumerProtocolMember(all) : new ClassicMember(all)
    member.start()
    return member
  }

  /** Scripts the response to the next request of an API. */
  next(api: ApiName, script: Script): void {
    this.#scripts.push({ api, script })
  }

  /** Responds to the next request of an API with an error. */
  refuse(api: ApiName, name: BrokerErrorName): void {
    this.next(api, (request) => this.refusal(request, codeOf(name)))
  }

  /** The bodies of all requests of an API so far. */
  sent<A extends ApiName>(api: A): ReceivedRequest<A>[] {
    return this.requests.flatMap((request) =>
      request.api === api ? [request.body as ReceivedRequest<A>] : [],
    )
  }

  /** The error that ended the membership. */
  failure(): PipelineError {
    assert.equal(this.recording.failures.length, 1)
    return this.recording.failures[0] as PipelineError
  }

  answer(_nodeId: number, request: AnyRequest): Promise<SentResponse<ApiName>> {
    this.requests.push(request)
    const index = this.#scripts.findIndex(({ api }) => api === request.api)
    const [scripted] = index < 0 ? [] : this.#scripts.splice(index, 1)
    return Promise.resolve(scripted === undefined ? this.healthy(request) : scripted.script(request))
  }

  /** Returns the response of a healthy coordinator. */
  healthy(request: AnyRequest): SentResponse<ApiName> {
    switch (request.api) {
      case 'JoinGroup':
        return this.#join(request.body)
      case 'SyncGroup':
        return { errorCode: 0, assignment: encodeAssignment(this.assigned) }
      case 'Heartbeat':
        return { errorCode: 0 }
      case 'LeaveGroup':
        return { errorCode: 0, members: [] }
      case 'OffsetCommit':
        return this.commitAnswer(request.body, 0)
      case 'OffsetFetch':
        return {
          groups: request.body.groups.map(({ groupId, topics }) => ({
            groupId,
            topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                committedOffset: partitionIndex === 0 ? 7n : -1n,
                committedLeaderEpoch: 3,
                metadata: '',
                errorCode: 0,
              })),
            })),
          })),
        }
      case 'ConsumerGroupHeartbeat':
        return this.#heartbeat(request.body)
      case 'ConsumerGroupDescribe':
        return { groups: [describedGroup([])] }
      default:
        throw new Error(`There is no answer to ${request.api}`)
    }
  }

  refusal(request: AnyRequest, errorCode: number): SentResponse<ApiName> {
    switch (request.api) {
      case 'JoinGroup':
        return { errorCode, protocolName: '', leader: '', memberId: `m${++this.#names}`, members: [] }
      case 'SyncGroup':
        return { errorCode, assignment: new Uint8Array(0) }
      case 'LeaveGroup':
        return { errorCode, members: [] }
      case 'OffsetCommit':
        return this.commitAnswer(request.body, errorCode)
      case 'OffsetFetch':
        return { groups: request.body.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) }
      case 'ConsumerGroupHeartbeat':
        return { throttleTimeMs: 0, errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 }
      default:
        return { errorCode }
    }
  }

  commitAnswer(body: ReceivedRequest<'OffsetCommit'>, errorCode: number): SentResponse<'OffsetCommit'> {
    return {
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    }
  }

  #join({ memberId, groupInstanceId, protocols }: ReceivedRequest<'JoinGroup'>): SentResponse<'JoinGroup'> {
    if (memberId === '' && groupInstanceId === null) {
      return this.refusal(
        { api: 'JoinGroup' } as AnyRequest,
        codeOf('MEMBER_ID_REQUIRED'),
      ) as SentResponse<'JoinGroup'>
    }
    const id = memberId === '' ? `m${++this.#names}` : memberId
    const metadata = protocols.find(({ name }) => name === this.protocolName)?.metadata ?? new Uint8Array(0)
    return {
      errorCode: 0,
      generationId: ++this.generation,
      protocolType: 'consumer',
      protocolName: this.protocolName,
      leader: this.isLeader ? id : 'other',
      memberId: id,
      members: this.isLeader ? [{ memberId: id, groupInstanceId, metadata }] : [],
    }
  }

  #heartbeat({
    memberId,
    memberEpoch,
  }: ReceivedRequest<'ConsumerGroupHeartbeat'>): SentResponse<'ConsumerGroupHeartbeat'> {
    const common = { throttleTimeMs: 0, errorCode: 0, memberId, heartbeatIntervalMs: 1_000 }
    if (memberEpoch < 0) return { ...common, memberEpoch }
    if (memberEpoch > 0) return { ...common, memberEpoch }
    return { ...common, memberEpoch: ++this.generation, assignment: targetOf(this.assigned) }
  }
}

/** An assignment as ConsumerGroupHeartbeat carries it. */
export function targetOf(partitions: readonly TopicPartition[]): {
  topicPartitions: { topicId: string; partitions: number[] }[]
} {
  return {
    topicPartitions: partitions.map(({ topic, partition }) => ({
      topicId: topicIdOf(topic),
      partitions: [partition],
    })),
  }
}

/** A group as ConsumerGroupDescribe carries it. */
export function describedGroup(
  members: readonly { readonly memberId: string; readonly instanceId: string | null; memberEpoch: number }[],
  errorCode = 0,
): NonNullable<SentResponse<'ConsumerGroupDescribe'>['groups']>[number] {
  const none = { topicPartitions: [] }
  return {
    ...{
      errorCode,
      groupId: 'g',
      groupState: 'Stable',
      groupEpoch: 3,
      assignmentEpoch: 3,
      assignorName: 'uniform',
    },
    members: members.map((one) => ({
      ...one,
      ...{ clientId: 'c', clientHost: '/127.0.0.1', subscribedTopicNames: ['a'] },
      ...{ assignment: none, targetAssignment: none },
    })),
  }
}

/** Partitions of one topic. */
export function partitionsOf(topic: string, ...numbers: readonly number[]): TopicPartition[] {
  return numbers.map((partition) => ({ topic, partition }))
}
