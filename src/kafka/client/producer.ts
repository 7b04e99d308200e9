import kafkajs, { type CompressionTypes, type Message } from 'kafkajs'
import type { CodecName } from '../../compression/compression.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { countPartitions } from './admin.ts'
import { createKafka, type KafkaOptions } from './client.ts'
import { hasErrorType, kafkaFaultOf } from './faults.ts'

/** Describes a message to send; the partition is chosen in turn. */
interface OutgoingMessage {
  readonly key: string
  readonly value: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Configures a sender. */
interface SenderOptions extends KafkaOptions {
  readonly topic: string
  /** Compression of record batches; default: none. */
  readonly compression?: CodecName
}

/** Sends messages to one topic. */
export interface Sender {
  readonly partitions: number
  /**
   * Sends a batch, its messages in turn to each partition, and resolves when the brokers have stored it. One call at a time;
   * messages that are sent again after an error are stored once (idempotent producer).
   * @throws KD_KAFKA_UNREACHABLE if the brokers did not accept it for about a minute; KD_KAFKA_FORBIDDEN
   */
  send(messages: readonly OutgoingMessage[]): Promise<void>
  close(): Promise<void>
}

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes
const CODECS: Readonly<Record<CodecName | 'none', CompressionTypes>> = {
  none: None,
  gzip: GZIP,
  snappy: Snappy,
  lz4: LZ4,
  zstd: ZSTD,
}
/** Retries with pauses doubling from 300 ms to 10 s: about a minute, enough for a broker to restart. */
const RETRIES = 10

/**
 * Opens a sender to a topic that exists.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED
 */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const { topic, compression = 'none' } = options
  const partitions = await countPartitions(options, topic, 'Describe and Write')
  // Retries must not duplicate messages: kafkajs guarantees that only with one request in flight.
  const producer = createKafka(options, RETRIES).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  const convertErrors = async (task: Promise<unknown>): Promise<void> => {
    try {
      await task
    } catch (error) {
      throw faultOf(error, options)
    }
  }
  await convertErrors(producer.connect())
  let next = 0
  return {
    partitions,
    send: (messages) => {
      const spread = spreadOver(partitions, messages, next)
      next = (next + messages.length) % partitions
      return convertErrors(
        producer.send({ topic, acks: -1, compression: CODECS[compression], messages: spread }),
      )
    },
    close: () => producer.disconnect(),
  }
}

/** Assigns the messages to the partitions in turn, from partition `first` on. */
function spreadOver(partitions: number, messages: readonly OutgoingMessage[], first: number): Message[] {
  const byPartition: Record<number, OutgoingMessage[]> = {}
  for (const [index, message] of messages.entries())
    (byPartition[(first + index) % partitions] ??= []).push(message)
  // kafkajs groups messages with `reduce` and copies the list of a partition for every message: a third of its work.
  return Object.defineProperty([...messages] as Message[], 'reduce', { value: () => byPartition })
}

function faultOf(error: unknown, { topic, brokers }: SenderOptions): PipelineError {
  const fault = kafkaFaultOf(error, { topic, brokers, isWriting: true })
  if (fault !== undefined) return fault
  const detail = `expected the brokers to accept records, got: ${messageOf(error)}`
  if (hasErrorType(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']))
    return new PipelineError('KD_KAFKA_REFUSED', detail, { topic, brokers }, { cause: error })
  return new PipelineError('KD_KAFKA_UNREACHABLE', detail, { topic, brokers }, { cause: error })
}
