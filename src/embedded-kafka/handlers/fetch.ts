import type { ReceivedRequest } from '../../kafka/wire/apis.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { StoredBatch } from '../log/stored-batch.ts'
import { codeOf, epochFaultOf, findPartition, type BrokerState, type Handler } from './handler.ts'
import { FetchSessions, type FetchedPartition, type SessionAnswer } from './fetch-sessions.ts'

type FetchRequest = ReceivedRequest<'Fetch'>

/** Holds what is returned for one partition. */
interface PartitionAnswer {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly abortedTransactions:
    readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null
  readonly records: Uint8Array
}

interface Answered extends PartitionAnswer {
  readonly asked: FetchedPartition
}

const READ_COMMITTED = 1
const NO_RECORDS = new Uint8Array(0)
/** Records of one response. */
const RESPONSE_BYTES_MAX = 50 * 2 ** 20

/** The fetch sessions of each broker. */
const SESSIONS = new WeakMap<BrokerState, FetchSessions>()

/**
 * Answers Fetch: as soon as there are `minBytes` of records or a fault, or after `maxWaitMs`. With a session only the
 * partitions are in the response that have something new. Spec: KIP-227; KIP-98 for `read_committed`.
 */
export const answerFetch: Handler<'Fetch'> = async (body, state) => {
  const sessions = SESSIONS.get(state) ?? new FetchSessions()
  SESSIONS.set(state, sessions)
  const session = sessions.open(body)
  if ('fault' in session) return { errorCode: codeOf(session.fault), sessionId: 0, responses: [] }
  let answers = readAll(session.partitions, body, state)
  if (shouldWait(answers, body)) {
    await waitForRecords(session, body, state)
    answers = readAll(session.partitions, body, state)
  }
  const told = session.isIncremental ? answers.filter((one) => session.isNews(one.asked, one)) : answers
  return { errorCode: 0, sessionId: session.id, responses: byTopic(told) }
}

function shouldWait(answers: readonly Answered[], { minBytes, maxWaitMs }: FetchRequest): boolean {
  const bytes = answers.reduce((sum, { records }) => sum + records.length, 0)
  return maxWaitMs > 0 && bytes < minBytes && answers.every(({ errorCode }) => errorCode === 0)
}

/** Resolves when `minBytes` are there, or after `maxWaitMs`. */
async function waitForRecords(
  { partitions }: SessionAnswer,
  body: FetchRequest,
  state: BrokerState,
): Promise<void> {
  const { topics, clock, signal } = state
  const done = new AbortController()
  const look = (): void => {
    if (!shouldWait(readAll(partitions, body, state), body)) done.abort()
  }
  const stops: (() => void)[] = []
  for (const { topicId, name, partition } of partitions) {
    const found = findPartition(topics, { topicId, name }, partition)
    if (typeof found !== 'string') stops.push(found.log.onChange(look))
  }
  try {
    await clock.sleep(body.maxWaitMs, AbortSignal.any([done.signal, signal]))
  } catch (error) {
    // The records are there, or the broker stops.
    if (!done.signal.aborted && !signal.aborted) throw error
  } finally {
    for (const stop of stops) stop()
  }
}

function readAll(
  partitions: readonly FetchedPartition[],
  body: FetchRequest,
  { topics }: BrokerState,
): readonly Answered[] {
  let left = Math.min(body.maxBytes, RESPONSE_BYTES_MAX)
  let isFirst = true
  return partitions.map((asked) => {
    const { topicId, name, partition } = asked
    const found = findPartition(topics, { topicId, name }, partition)
    if (typeof found === 'string') return { asked, ...fault(partition, codeOf(found)) }
    const epochFault = epochFaultOf(found.log, asked.currentLeaderEpoch)
    if (epochFault !== 'NONE') return { asked, ...fault(partition, codeOf(epochFault)) }
    // The first records are returned whatever their size, so that a reader always gets on.
    const bytesMax = Math.min(asked.bytesMax, left)
    const answer = readOne(found.log, asked, body.isolationLevel === READ_COMMITTED, bytesMax, isFirst)
    left = Math.max(0, left - answer.records.length)
    if (answer.records.length > 0) isFirst = false
    return { asked, ...answer }
  })
}

function readOne(
  log: PartitionLog,
  { partition: partitionIndex, fetchOffset }: FetchedPartition,
  isCommitted: boolean,
  bytesMax: number,
  isFirst: boolean,
): PartitionAnswer {
  const offsets = {
    highWatermark: log.end,
    lastStableOffset: log.lastStable,
    logStartOffset: log.start,
  }
  if (fetchOffset < log.start || fetchOffset > log.end)
    return { ...fault(partitionIndex, codeOf('OFFSET_OUT_OF_RANGE')), ...offsets }
  const before = isCommitted ? log.lastStable : log.end
  const batches = log.read(fetchOffset, before, bytesMax)
  const isTooLarge = !isFirst && (batches[0]?.bytes.length ?? 0) > bytesMax
  const read = isTooLarge ? [] : batches
  return {
    ...{ partitionIndex, errorCode: 0, ...offsets },
    abortedTransactions: isCommitted ? abortedOf(log, fetchOffset, read) : null,
    records: read.length === 0 ? NO_RECORDS : Buffer.concat(read.map(({ bytes }) => bytes)),
  }
}

function abortedOf(
  log: PartitionLog,
  from: bigint,
  batches: readonly StoredBatch[],
): readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] {
  const last = batches.at(-1)
  if (last === undefined) return []
  return log
    .abortedIn(from, last.lastOffset + 1n)
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

function fault(partitionIndex: number, errorCode: number): PartitionAnswer {
  return {
    ...{ partitionIndex, errorCode, highWatermark: -1n, lastStableOffset: -1n, logStartOffset: -1n },
    ...{ abortedTransactions: null, records: NO_RECORDS },
  }
}

function byTopic(answers: readonly Answered[]): {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly PartitionAnswer[]
}[] {
  const found = new Map<string, { topic: string; topicId: string; partitions: PartitionAnswer[] }>()
  for (const { asked, ...answer } of answers) {
    const key = `${asked.name} ${asked.topicId}`
    const entry = found.get(key) ?? { topic: asked.name, topicId: asked.topicId, partitions: [] }
    entry.partitions.push(answer)
    found.set(key, entry)
  }
  return [...found.values()]
}
