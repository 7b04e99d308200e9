import type { ApiName } from '../../kafka/wire/apis.ts'
import { createPartitions, createTopics, deleteRecords, deleteTopics, describeConfigs } from './admin.ts'
import { describeCluster, findCoordinator, metadata } from './cluster.ts'
import { fetch } from './fetch.ts'
import { offsetCommit, offsetFetch } from './group-offsets.ts'
import {
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  deleteGroups,
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
} from './groups.ts'
import type { Handler } from './handler.ts'
import { listOffsets, offsetForLeaderEpoch } from './offsets.ts'
import { produce } from './produce.ts'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  txnOffsetCommit,
} from './transactions.ts'

/** Names the APIs that the server answers itself, or that need logins, which the embedded broker does not have. */
type Unhandled = 'ApiVersions' | 'SaslHandshake' | 'SaslAuthenticate'

/** Holds the handlers of the embedded broker by API. */
export const HANDLERS: { readonly [A in Exclude<ApiName, Unhandled>]: Handler<A> } = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  SyncGroup: syncGroup,
  DescribeGroups: describeGroups,
  ListGroups: listGroups,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  TxnOffsetCommit: txnOffsetCommit,
  DescribeConfigs: describeConfigs,
  CreatePartitions: createPartitions,
  DeleteGroups: deleteGroups,
  DescribeCluster: describeCluster,
  ConsumerGroupHeartbeat: consumerGroupHeartbeat,
  ConsumerGroupDescribe: consumerGroupDescribe,
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
