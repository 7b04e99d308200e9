import type { ReceivedRequest, SentResponse } from '../../../../src/kafka/wire/apis.ts'
import { BROKER_ERRORS } from '../../../../src/kafka/wire/error-codes.ts'
import type { FakeBroker, FakeCluster, FakePartition } from './fake-cluster.ts'

interface Asked {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly bytesMax: number
  told: string
}

/** A fetch session on a broker's side. */
export interface FakeSession {
  epoch: number
  readonly asked: Map<string, Asked>
  /** State reported in the response that is being built; applied once it is sent. */
  telling: (readonly [Asked, string])[]
}

type SentPartition = NonNullable<
  NonNullable<SentResponse<'Fetch'>['responses']>[number]['partitions']
>[number]

let sessionsMade = 0

/** Responds to a fetch as a broker does: with all partitions in a new session, otherwise only with news. */
export function answerFetch(
  cluster: FakeCluster,
  broker: FakeBroker,
  body: ReceivedRequest<'Fetch'>,
  version: number,
): SentResponse<'Fetch'> {
  const { sessionId, sessionEpoch } = body
  const isWithIds = version > 12
  const refuse = (error: keyof typeof BROKER_ERRORS): SentResponse<'Fetch'> => ({
    errorCode: BROKER_ERRORS[error].code,
    responses: [],
  })
  let session: FakeSession
  let id = sessionId
  const isNew = sessionEpoch <= 0
  if (isNew) {
    broker.sessions.delete(sessionId)
    // Requests before version 7 have no sessions.
    if (sessionEpoch < 0 && version >= 7) return { responses: [] }
    id = broker.keepsSessions ? ++sessionsMade : 0
    session = { epoch: 1, asked: new Map(), telling: [] }
    if (id !== 0) broker.sessions.set(id, session)
  } else {
    const known = broker.sessions.get(sessionId)
    if (known === undefined) return refuse('FETCH_SESSION_ID_NOT_FOUND')
    // A waiting request is evaluated repeatedly.
    if (known.epoch !== sessionEpoch && known.epoch !== sessionEpoch + 1)
      return refuse('INVALID_FETCH_SESSION_EPOCH')
    known.epoch = sessionEpoch + 1
    session = known
  }
  for (const { topic, topicId, partitions } of body.forgottenTopicsData)
    for (const index of partitions) session.asked.delete(`${isWithIds ? topicId : topic} ${index}`)
  for (const { topic, topicId, partitions } of body.topics)
    for (const each of partitions)
      session.asked.set(`${isWithIds ? topicId : topic} ${each.partition}`, {
        topic,
        topicId,
        partition: each.partition,
        offset: each.fetchOffset,
        leaderEpoch: each.currentLeaderEpoch,
        bytesMax: each.partitionMaxBytes,
        told: session.asked.get(`${isWithIds ? topicId : topic} ${each.partition}`)?.told ?? '',
      })
  session.telling = []
  const responses = [...session.asked.values()].flatMap((asked) => {
    const data = answerPartition(cluster, broker, asked, body.isolationLevel === 1, version)
    const told = `${data.highWatermark} ${data.logStartOffset}`
    const hasNews =
      isNew ||
      data.errorCode !== 0 ||
      (data.records?.length ?? 0) > 0 ||
      (data.preferredReadReplica ?? -1) >= 0 ||
      data.divergingEpoch !== undefined ||
      asked.told !== told
    session.telling.push([asked, told])
    return hasNews ? [{ topic: asked.topic, topicId: asked.topicId, partitions: [data] }] : []
  })
  return { sessionId: id, responses }
}

function answerPartition(
  cluster: FakeCluster,
  broker: FakeBroker,
  asked: Asked,
  isCommitted: boolean,
  version: number,
): SentPartition {
  const isWithIds = version > 12
  const refuse = (error: keyof typeof BROKER_ERRORS, more: Partial<SentPartition> = {}): SentPartition => ({
    partitionIndex: asked.partition,
    errorCode: BROKER_ERRORS[error].code,
    highWatermark: -1n,
    records: null,
    ...more,
  })
  const topic = isWithIds
    ? [...cluster.topics.values()].find(({ id }) => id === asked.topicId)
    : cluster.topics.get(asked.topic)
  const partition = topic?.partitions[asked.partition]
  if (partition === undefined) return refuse(isWithIds ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  const refusal = partition.refusals.shift()
  if (refusal !== undefined) return refuse(refusal)
  const { leaderId, leaderEpoch, preferred, end, logStart } = partition
  if (leaderId !== broker.nodeId && preferred !== broker.nodeId)
    return refuse('NOT_LEADER_OR_FOLLOWER', version < 12 ? {} : { currentLeader: { leaderId, leaderEpoch } })
  if (asked.leaderEpoch >= 0 && asked.leaderEpoch < leaderEpoch) return refuse('FENCED_LEADER_EPOCH')
  if (asked.leaderEpoch > leaderEpoch) return refuse('UNKNOWN_LEADER_EPOCH')
  const state = {
    partitionIndex: asked.partition,
    errorCode: 0,
    highWatermark: end,
    lastStableOffset: partition.stable ?? end,
    logStartOffset: logStart,
    records: Buffer.alloc(0),
  }
  if (partition.diverging !== undefined) return { ...state, divergingEpoch: partition.diverging }
  if (leaderId === broker.nodeId && preferred !== undefined && preferred !== leaderId)
    return { ...state, preferredReadReplica: preferred }
  if (asked.offset < logStart || asked.offset > end) return refuse('OFFSET_OUT_OF_RANGE')
  return { ...state, records: recordsOf(partition, asked, isCommitted) }
}

function recordsOf(partition: FakePartition, { offset, bytesMax }: Asked, isCommitted: boolean): Buffer {
  const limit = isCommitted ? (partition.stable ?? partition.end) : partition.end
  const entries = partition.entries.filter(({ first, last }) => last >= offset && first < limit)
  const all = Buffer.concat(entries.map(({ bytes }) => bytes))
  return all.subarray(0, Math.max(bytesMax, entries[0]?.bytes.length ?? 0))
}
