import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { RefusedRecords } from '../log/stored-batch.ts'
import { codeOf, findPartition, type BrokerState, type Handler } from './handler.ts'

interface PartitionAnswer {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: bigint
  readonly logStartOffset?: bigint
  readonly errorMessage?: string | null
}

/** Limits a batch as Kafka does by default. */
const BATCH_BYTES_MAX = 1_048_588
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const ATTRIBUTES_AT = 21
const TRANSACTIONAL = 0x10

/** Answers Produce: every partition is appended to or refused by itself, so that a request may succeed in part. */
export const answerProduce: Handler<'Produce'> = ({ transactionalId, topicData }, state) => ({
  responses: topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index, records }) => {
      const found = findPartition(state.topics, { topicId, name }, index)
      if (typeof found === 'string') return refusal(index, found)
      return append(index, records ?? new Uint8Array(0), found.log, state, {
        transactionalId,
        topic: found.topic.name,
        bytesMax: Number(found.topic.configs.get('max.message.bytes') ?? BATCH_BYTES_MAX),
      })
    }),
  })),
})

function append(
  index: number,
  records: Uint8Array,
  log: PartitionLog,
  { topics, transactions, bytesMax }: BrokerState,
  target: { readonly transactionalId: string | null; readonly topic: string; readonly bytesMax: number },
): PartitionAnswer {
  if (records.length > target.bytesMax) return refusal(index, 'MESSAGE_TOO_LARGE')
  if (topics.bytes + records.length > bytesMax)
    return refusal(
      index,
      'POLICY_VIOLATION',
      `the embedded broker holds at most ${bytesMax} bytes of records; delete topics or records, or start it with more`,
    )
  const fault = transactionFaultOf(records, (claim) =>
    transactions.faultOfRecords(target.transactionalId, claim, `${target.topic}/${index}`),
  )
  if (fault !== 'NONE') return refusal(index, fault)
  try {
    const { baseOffset, fault: sequenceFault } = log.append(records)
    if (sequenceFault !== undefined) return refusal(index, sequenceFault)
    return { index, errorCode: 0, baseOffset, logStartOffset: log.start }
  } catch (error) {
    if (error instanceof RefusedRecords) return refusal(index, error.code, error.message)
    throw error
  }
}

/** Asks the coordinator about records of a transaction; a request carries those of one producer. */
function transactionFaultOf(
  records: Uint8Array,
  faultOf: (claim: { readonly producerId: bigint; readonly producerEpoch: number }) => BrokerErrorName,
): BrokerErrorName {
  if (records.length < PRODUCER_EPOCH_AT + 2) return 'NONE'
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  if ((view.getInt16(ATTRIBUTES_AT) & TRANSACTIONAL) === 0) return 'NONE'
  const producerId = view.getBigInt64(PRODUCER_ID_AT)
  return faultOf({ producerId, producerEpoch: view.getInt16(PRODUCER_EPOCH_AT) })
}

function refusal(index: number, error: BrokerErrorName, errorMessage: string | null = null): PartitionAnswer {
  return { index, errorCode: codeOf(error), baseOffset: -1n, errorMessage }
}
