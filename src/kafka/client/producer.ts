import kafkajs, { type CompressionTypes, type Message } from 'kafkajs'
import type { CodecName } from '../../compression/compression.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { endOffsets } from './admin.ts'
import { createKafka, type KafkaOptions } from './client.ts'
import { kafkaFault } from './faults.ts'

/** A message that goes to whichever partition is next. */
export interface OutMessage {
  readonly key: string
  readonly value: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Where messages are sent, and how. */
export interface SenderOptions extends KafkaOptions {
  readonly topic: string
  /** Of the record batches; none when absent. */
  readonly compression?: CodecName
}

/** Sends messages to one topic. */
export interface Sender {
  readonly partitions: number
  /**
   * Sends a batch, its messages in turn to each partition, and resolves when the brokers have it. One call at a time; what
   * has to be sent again after an error is there once all the same.
   * @throws KD_KAFKA_UNREACHABLE when it was not taken for about a minute; KD_KAFKA_FORBIDDEN
   */
  send(messages: readonly OutMessage[]): Promise<void>
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
/** Pauses from 300 ms, doubling up to 10 s: about a minute, in which a broker restarts. */
const RETRIES = 10

/**
 * Opens a sender to a topic that exists.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED
 */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const { topic, compression = 'none' } = options
  const partitions = (await endOffsets(options, topic)).size
  // What is sent again must not be there twice, for which kafkajs must have one request under way.
  const producer = createKafka(options, RETRIES).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  const told = async (task: Promise<unknown>): Promise<void> => {
    try {
      await task
    } catch (error) {
      throw faultOf(error, options)
    }
  }
  await told(producer.connect())
  let next = 0
  return {
    partitions,
    send: (messages) => {
      const spread = spreadOver(partitions, messages, next)
      next = (next + messages.length) % partitions
      return told(producer.send({ topic, acks: -1, compression: CODECS[compression], messages: spread }))
    },
    close: () => producer.disconnect(),
  }
}

/** The messages in turn to each partition, from partition `first` on. */
function spreadOver(partitions: number, messages: readonly OutMessage[], first: number): Message[] {
  const byPartition: Record<number, OutMessage[]> = {}
  for (const [index, message] of messages.entries())
    (byPartition[(first + index) % partitions] ??= []).push(message)
  // kafkajs groups by `reduce`, and copies a partition's list for every message: a third of all its work.
  return Object.defineProperty([...messages] as Message[], 'reduce', { value: () => byPartition })
}

function faultOf(error: unknown, { topic, brokers }: SenderOptions): PipelineError {
  const fault = kafkaFault(error, { topic, brokers, isWriting: true })
  if (fault !== undefined) return fault
  const detail = `expected the brokers to take records, got: ${messageOf(error)}`
  return new PipelineError('KD_KAFKA_UNREACHABLE', detail, { topic, brokers }, { cause: error })
}
