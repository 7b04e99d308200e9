import type { ApiName } from '../../kafka/wire/apis.ts'
import {
  answerCreatePartitions,
  answerCreateTopics,
  answerDeleteRecords,
  answerDeleteTopics,
  answerDescribeConfigs,
} from './admin.ts'
import { answerDescribeCluster, answerFindCoordinator, answerMetadata } from './cluster.ts'
import { answerFetch } from './fetch.ts'
import { answerOffsetCommit, answerOffsetFetch } from './group-offsets.ts'
import {
  answerConsumerGroupDescribe,
  answerConsumerGroupHeartbeat,
  answerDeleteGroups,
  answerDescribeGroups,
  answerHeartbeat,
  answerJoinGroup,
  answerLeaveGroup,
  answerListGroups,
  answerSyncGroup,
} from './groups.ts'
import type { Handler } from './handler.ts'
import { answerListOffsets, answerOffsetForLeaderEpoch } from './offsets.ts'
import { answerProduce } from './produce.ts'
import {
  answerAddOffsetsToTxn,
  answerAddPartitionsToTxn,
  answerEndTxn,
  answerInitProducerId,
  answerTxnOffsetCommit,
} from './transactions.ts'

/** Names the APIs that the server answers itself, or that need logins, which the embedded broker does not have. */
type Unhandled = 'ApiVersions' | 'SaslHandshake' | 'SaslAuthenticate'

/** Holds the handlers of the embedded broker by API. */
export const HANDLERS: { readonly [A in Exclude<ApiName, Unhandled>]: Handler<A> } = {
  Produce: answerProduce,
  Fetch: answerFetch,
  ListOffsets: answerListOffsets,
  Metadata: answerMetadata,
  OffsetCommit: answerOffsetCommit,
  OffsetFetch: answerOffsetFetch,
  FindCoordinator: answerFindCoordinator,
  JoinGroup: answerJoinGroup,
  Heartbeat: answerHeartbeat,
  LeaveGroup: answerLeaveGroup,
  SyncGroup: answerSyncGroup,
  DescribeGroups: answerDescribeGroups,
  ListGroups: answerListGroups,
  CreateTopics: answerCreateTopics,
  DeleteTopics: answerDeleteTopics,
  DeleteRecords: answerDeleteRecords,
  InitProducerId: answerInitProducerId,
  OffsetForLeaderEpoch: answerOffsetForLeaderEpoch,
  AddPartitionsToTxn: answerAddPartitionsToTxn,
  AddOffsetsToTxn: answerAddOffsetsToTxn,
  EndTxn: answerEndTxn,
  TxnOffsetCommit: answerTxnOffsetCommit,
  DescribeConfigs: answerDescribeConfigs,
  CreatePartitions: answerCreatePartitions,
  DeleteGroups: answerDeleteGroups,
  DescribeCluster: answerDescribeCluster,
  ConsumerGroupHeartbeat: answerConsumerGroupHeartbeat,
  ConsumerGroupDescribe: answerConsumerGroupDescribe,
}

/**
 * Limits the versions of APIs below those of the field tables: later ones are for brokers among themselves, or let
 * producers of KIP-890 open transactions with their records.
 */
const NEWEST: Readonly<Partial<Record<ApiName, number>>> = {
  Produce: 11,
  AddPartitionsToTxn: 3,
  EndTxn: 4,
  TxnOffsetCommit: 4,
  AddOffsetsToTxn: 4,
  InitProducerId: 5,
}

/** Returns the newest version of an API that the broker answers. */
export function newestVersionOf(api: ApiName, ofTable: number): number {
  return Math.min(ofTable, NEWEST[api] ?? ofTable)
}
