import { API_VERSIONS } from './messages/api-versions.ts'
import { CONSUMER_GROUP_DESCRIBE } from './messages/group/consumer-group-describe.ts'
import { CONSUMER_GROUP_HEARTBEAT } from './messages/group/consumer-group-heartbeat.ts'
import { FETCH } from './messages/fetch.ts'
import { FIND_COORDINATOR } from './messages/find-coordinator.ts'
import { HEARTBEAT } from './messages/group/heartbeat.ts'
import { INIT_PRODUCER_ID } from './messages/init-producer-id.ts'
import { JOIN_GROUP } from './messages/group/join-group.ts'
import { LEAVE_GROUP } from './messages/group/leave-group.ts'
import { LIST_OFFSETS } from './messages/list-offsets.ts'
import { METADATA } from './messages/metadata.ts'
import { OFFSET_COMMIT } from './messages/offset-commit.ts'
import { OFFSET_FETCH } from './messages/offset-fetch.ts'
import { OFFSET_FOR_LEADER_EPOCH } from './messages/offset-for-leader-epoch.ts'
import { PRODUCE } from './messages/produce.ts'
import { SASL_AUTHENTICATE } from './messages/sasl-authenticate.ts'
import { SASL_HANDSHAKE } from './messages/sasl-handshake.ts'
import { SYNC_GROUP } from './messages/group/sync-group.ts'
import { CREATE_PARTITIONS } from './messages/admin/create-partitions.ts'
import { CREATE_TOPICS } from './messages/admin/create-topics.ts'
import { DELETE_GROUPS } from './messages/admin/delete-groups.ts'
import { DELETE_RECORDS } from './messages/admin/delete-records.ts'
import { DELETE_TOPICS } from './messages/admin/delete-topics.ts'
import { DESCRIBE_CLUSTER } from './messages/admin/describe-cluster.ts'
import { DESCRIBE_CONFIGS } from './messages/admin/describe-configs.ts'
import { DESCRIBE_GROUPS } from './messages/admin/describe-groups.ts'
import { LIST_GROUPS } from './messages/admin/list-groups.ts'
import { ADD_OFFSETS_TO_TXN } from './messages/transactions/add-offsets-to-txn.ts'
import { ADD_PARTITIONS_TO_TXN } from './messages/transactions/add-partitions-to-txn.ts'
import { END_TXN } from './messages/transactions/end-txn.ts'
import { TXN_OFFSET_COMMIT } from './messages/transactions/txn-offset-commit.ts'
import type { ApiTable, ReadFields, WrittenFields } from './schema.ts'

/** Holds the field tables of the APIs that clients and the embedded broker use, by their names in Kafka's message definitions. */
export const APIS = {
  Produce: PRODUCE,
  Fetch: FETCH,
  ListOffsets: LIST_OFFSETS,
  Metadata: METADATA,
  OffsetCommit: OFFSET_COMMIT,
  OffsetFetch: OFFSET_FETCH,
  FindCoordinator: FIND_COORDINATOR,
  JoinGroup: JOIN_GROUP,
  Heartbeat: HEARTBEAT,
  LeaveGroup: LEAVE_GROUP,
  SyncGroup: SYNC_GROUP,
  SaslHandshake: SASL_HANDSHAKE,
  ApiVersions: API_VERSIONS,
  InitProducerId: INIT_PRODUCER_ID,
  OffsetForLeaderEpoch: OFFSET_FOR_LEADER_EPOCH,
  SaslAuthenticate: SASL_AUTHENTICATE,
  CreateTopics: CREATE_TOPICS,
  DeleteTopics: DELETE_TOPICS,
  CreatePartitions: CREATE_PARTITIONS,
  DeleteRecords: DELETE_RECORDS,
  DescribeConfigs: DESCRIBE_CONFIGS,
  DescribeCluster: DESCRIBE_CLUSTER,
  ListGroups: LIST_GROUPS,
  DescribeGroups: DESCRIBE_GROUPS,
  DeleteGroups: DELETE_GROUPS,
  AddPartitionsToTxn: ADD_PARTITIONS_TO_TXN,
  AddOffsetsToTxn: ADD_OFFSETS_TO_TXN,
  EndTxn: END_TXN,
  TxnOffsetCommit: TXN_OFFSET_COMMIT,
  ConsumerGroupHeartbeat: CONSUMER_GROUP_HEARTBEAT,
  ConsumerGroupDescribe: CONSUMER_GROUP_DESCRIBE,
} as const satisfies Readonly<Record<string, ApiTable>>

/** Names an API in `APIS`. */
export type ApiName = keyof typeof APIS

/** Describes a request that a client sends; fields with defaults may be omitted. */
export type RequestBody<A extends ApiName> = WrittenFields<(typeof APIS)[A]['request']>

/** Describes a response that a client receives; every field is present. */
export type ResponseBody<A extends ApiName> = ReadFields<(typeof APIS)[A]['response']>

/** Describes a request that a broker receives; every field is present. */
export type ReceivedRequest<A extends ApiName> = ReadFields<(typeof APIS)[A]['request']>

/** Describes a response that a broker sends; fields with defaults may be omitted. */
export type SentResponse<A extends ApiName> = WrittenFields<(typeof APIS)[A]['response']>

/**
 * Returns the version of a request header. Version 2 has tagged fields; its client id is not compact, so that a broker
 * can read the header of any version.
 */
export function requestHeaderVersion({ flexibleFrom }: ApiTable, version: number): 1 | 2 {
  return flexibleFrom !== undefined && version >= flexibleFrom ? 2 : 1
}

/**
 * Returns the version of a response header. Version 1 has tagged fields; ApiVersions always uses version 0 (KIP-511).
 */
export function responseHeaderVersion({ key, flexibleFrom }: ApiTable, version: number): 0 | 1 {
  return key !== API_VERSIONS.key && flexibleFrom !== undefined && version >= flexibleFrom ? 1 : 0
}
