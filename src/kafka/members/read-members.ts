import { PipelineError } from '../../core/errors.ts'
import { clusterOptionsOf } from '../client/wire-options.ts'
import type { KafkaOptions } from '../client/client.ts'
import { decodeAssignment, decodeSubscription } from '../group/subscription.ts'
import type { RequestBody, ResponseBody } from '../wire/apis.ts'
import type { BrokerConnection } from '../wire/broker.ts'
import { errorNameOf } from '../wire/error-codes.ts'
import { openCluster } from '../wire/open-cluster.ts'

/** Describes a member of a consumer group. */
export interface ListedMember {
  readonly memberId: string
  readonly clientId: string
  /** Address from which the member is connected. */
  readonly host: string
  /** Topics that the member subscribes to. */
  readonly topics: readonly string[]
  /** Partitions assigned to it, ascending, by topic. */
  readonly partitions: ReadonlyMap<string, readonly number[]>
}

type ClassicMember = ResponseBody<'DescribeGroups'>['groups'][number]['members'][number]
type ConsumerMember = ResponseBody<'ConsumerGroupDescribe'>['groups'][number]['members'][number]

/**
 * Returns the members of a consumer group with their partitions, from its coordinator. A group that does not exist has none.
 * @throws KD_KAFKA_UNREACHABLE; KD_SOURCE_FAILED if the coordinator refuses the request
 */
export async function readGroupMembers(
  options: KafkaOptions,
  groupId: string,
  protocol: 'classic' | 'consumer',
): Promise<readonly ListedMember[]> {
  const cluster = openCluster(clusterOptionsOf(options))
  try {
    const connection = await cluster.coordinator(groupId)
    return protocol === 'classic'
      ? await readClassic(connection, groupId)
      : await readConsumers(connection, groupId)
  } finally {
    await cluster.close()
  }
}

async function readClassic(connection: BrokerConnection, groupId: string): Promise<readonly ListedMember[]> {
  const body: RequestBody<'DescribeGroups'> = { groups: [groupId], includeAuthorizedOperations: false }
  const { groups } = await connection.request('DescribeGroups', body)
  const [group] = groups
  return isMissing(group?.errorCode ?? 0, groupId) ? [] : (group?.members ?? []).map(classicMemberOf)
}

async function readConsumers(
  connection: BrokerConnection,
  groupId: string,
): Promise<readonly ListedMember[]> {
  const body: RequestBody<'ConsumerGroupDescribe'> = {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  }
  const { groups } = await connection.request('ConsumerGroupDescribe', body)
  const [group] = groups
  return isMissing(group?.errorCode ?? 0, groupId) ? [] : (group?.members ?? []).map(consumerMemberOf)
}

/** @throws KD_SOURCE_FAILED for every error but that of a group that does not exist */
function isMissing(errorCode: number, groupId: string): boolean {
  if (errorCode === 0) return false
  const error = errorNameOf(errorCode)
  if (error === 'GROUP_ID_NOT_FOUND') return true
  throw new PipelineError('KD_SOURCE_FAILED', `expected the members of group ${groupId}, got: ${error}`, {
    groupId,
  })
}

/** Members of other kinds, such as Kafka Connect workers, have assignments that cannot be read: they count as none. */
function classicMemberOf(member: ClassicMember): ListedMember {
  const { memberId, clientId, clientHost, memberMetadata, memberAssignment } = member
  let topics: readonly string[] = []
  const partitions = new Map<string, number[]>()
  try {
    topics = memberMetadata.length === 0 ? [] : decodeSubscription(memberMetadata).topics
    for (const { topic, partition } of decodeAssignment(memberAssignment))
      partitions.set(topic, [...(partitions.get(topic) ?? []), partition])
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error
  }
  return { memberId, clientId, host: hostOf(clientHost), topics, partitions: sorted(partitions) }
}

function consumerMemberOf(member: ConsumerMember): ListedMember {
  const { memberId, clientId, clientHost, subscribedTopicNames, assignment } = member
  const partitions = assignment.topicPartitions.map((each) => [each.topicName, [...each.partitions]] as const)
  return {
    ...{ memberId, clientId, host: hostOf(clientHost), topics: subscribedTopicNames },
    partitions: sorted(new Map(partitions)),
  }
}

/** Removes the slash that brokers write before an address. */
function hostOf(clientHost: string): string {
  return clientHost.replace(/^\//, '')
}

function sorted(partitions: ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, readonly number[]> {
  return new Map([...partitions].map(([topic, numbers]) => [topic, numbers.toSorted((a, b) => a - b)]))
}
