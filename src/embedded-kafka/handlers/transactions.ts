import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import type { StoredOffset } from '../transactions/stored-offset.ts'
import { codeOf, findPartition, type Handler } from './handler.ts'

/** First versions in which a fenced producer is told PRODUCER_FENCED instead of INVALID_PRODUCER_EPOCH (KIP-588). */
const FENCED_FROM = { AddPartitionsToTxn: 2, AddOffsetsToTxn: 2, EndTxn: 2 } as const

/** Answers InitProducerId; an open transaction of the same transactional id is aborted. */
export const answerInitProducerId: Handler<'InitProducerId'> = (
  { transactionalId, transactionTimeoutMs },
  { transactions },
) => {
  const made = transactions.initProducer(transactionalId, transactionTimeoutMs)
  return 'fault' in made
    ? { errorCode: codeOf(made.fault), producerId: -1n, producerEpoch: -1 }
    : { errorCode: 0, ...made }
}

/** Answers AddPartitionsToTxn of clients: all partitions are added, or none. */
export const answerAddPartitionsToTxn: Handler<'AddPartitionsToTxn'> = (
  body,
  { topics, transactions },
  { version },
) => {
  const wanted = body.v3AndBelowTopics
  const claim = { producerId: body.v3AndBelowProducerId, producerEpoch: body.v3AndBelowProducerEpoch }
  const missing = new Set<string>()
  for (const { name, partitions } of wanted)
    for (const partition of partitions)
      if (typeof findPartition(topics, { name }, partition) === 'string') missing.add(`${name}/${partition}`)
  const keys = wanted.flatMap(({ name, partitions }) => partitions.map((partition) => `${name}/${partition}`))
  const fault =
    missing.size > 0
      ? 'OPERATION_NOT_ATTEMPTED'
      : transactions.addPartitions(body.v3AndBelowTransactionalId, claim, keys)
  const said = fencedAs(fault, version, FENCED_FROM.AddPartitionsToTxn)
  return {
    resultsByTopicV3AndBelow: wanted.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: codeOf(
          missing.has(`${name}/${partitionIndex}`) ? 'UNKNOWN_TOPIC_OR_PARTITION' : said,
        ),
      })),
    })),
  }
}

/** Answers AddOffsetsToTxn. */
export const answerAddOffsetsToTxn: Handler<'AddOffsetsToTxn'> = (body, { transactions }, { version }) => {
  const fault = transactions.addGroup(body.transactionalId, body, body.groupId)
  return { errorCode: codeOf(fencedAs(fault, version, FENCED_FROM.AddOffsetsToTxn)) }
}

/** Answers TxnOffsetCommit: the offsets are those of the group once the transaction is committed. */
export const answerTxnOffsetCommit: Handler<'TxnOffsetCommit'> = (body, { transactions, topics }) => {
  const offsets = new Map<string, StoredOffset>()
  for (const { name, partitions } of body.topics)
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions)
      if (typeof findPartition(topics, { name }, partitionIndex) !== 'string')
        offsets.set(`${name}/${partitionIndex}`, {
          ...{ offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: committedMetadata },
        })
  const fault = transactions.addOffsets(body.transactionalId, body, body.groupId, offsets)
  return {
    topics: body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: codeOf(
          fault === 'NONE' && !offsets.has(`${name}/${partitionIndex}`)
            ? 'UNKNOWN_TOPIC_OR_PARTITION'
            : fault,
        ),
      })),
    })),
  }
}

/** Answers EndTxn once the markers are in all partitions. */
export const answerEndTxn: Handler<'EndTxn'> = (body, { transactions }, { version }) => {
  const fault = transactions.end(body.transactionalId, body, body.committed ? 'commit' : 'abort')
  return { errorCode: codeOf(fencedAs(fault, version, FENCED_FROM.EndTxn)) }
}

function fencedAs(fault: BrokerErrorName, version: number, from: number): BrokerErrorName {
  return fault === 'PRODUCER_FENCED' && version < from ? 'INVALID_PRODUCER_EPOCH' : fault
}
