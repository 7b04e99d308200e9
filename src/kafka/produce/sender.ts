import { CODEC_NAMES, openCodec, type CodecName } from '../../compression/compression.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { KafkaOptions } from '../client/client.ts'
import { hasErrorType, kafkaFaultOf } from '../client/faults.ts'
import { clusterOptionsOf } from '../client/wire-options.ts'
import { listPartitions } from '../wire/list-partitions.ts'
import { openCluster } from '../wire/open-cluster.ts'
import { PartitionSender } from './partition-sender.ts'
import { RecordBatchWriter, type OutgoingRecord } from './record-batch.ts'

/** Configures a sender. */
interface SenderOptions extends KafkaOptions {
  readonly topic: string
  /** Compression of record batches; default: none. */
  readonly compression?: CodecName
  /** Gives the timestamps of messages and the pauses between attempts; default: that of the system. */
  readonly clock?: Clock
}

/** Sends messages to one topic. */
export interface Sender {
  readonly partitions: number
  /**
   * Appends a message to the batch of the next partition, in turn. Its bytes are copied before it returns. Batches that are
   * full are sent at once, the others by `flush`.
   */
  append(message: OutgoingRecord): void
  /**
   * Sends what was appended since the last call and resolves when the in-sync replicas have stored it. Messages of a
   * partition are stored in the order in which they were appended; those that are sent again after an error are stored once
   * (idempotent producer).
   * @throws KD_KAFKA_UNREACHABLE if the brokers did not accept them for about a minute; KD_KAFKA_FORBIDDEN,
   * KD_KAFKA_REFUSED
   */
  flush(): Promise<void>
  close(): Promise<void>
}

interface PartitionQueue {
  /** Absent until the first message. */
  writer: RecordBatchWriter | undefined
  readonly sender: PartitionSender
}

/** Size from which a batch is sent, uncompressed: brokers accept 1 MiB by default. */
const BATCH_BYTES = 512 * 1024
/** Size of the buffer of a batch before it grows. */
const BUFFER_BYTES = BATCH_BYTES + 16 * 1024
const BACKOFF = { minBackoffMs: 100, maxBackoffMs: 5_000 }

/**
 * Opens a sender to a topic that exists.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED
 */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const { topic, compression, clock = systemClock } = options
  const cluster = openCluster(clusterOptionsOf(options))
  try {
    const { partitions } = await listPartitions(cluster, topic, 'Describe and Write')
    const codec =
      compression === undefined
        ? undefined
        : { number: CODEC_NAMES.indexOf(compression) + 1, codec: await openCodec(compression) }
    const queues = partitions.map((partition): PartitionQueue => ({
      writer: undefined,
      sender: new PartitionSender({ topic, partition, cluster, clock, backoff: BACKOFF }),
    }))
    let next = 0
    let stored: Promise<void>[] = []
    const sendBatch = ({ writer, sender }: PartitionQueue): void => {
      if (writer === undefined || writer.count === 0) return
      const { count } = writer
      const batch = writer.finish(codec)
      const sent = sender.send(batch, count).then(() => {
        writer.recycle(batch)
      })
      // Its error surfaces in `flush`; until then it must not count as unhandled.
      sent.catch(() => undefined)
      stored.push(sent)
    }
    return {
      partitions: queues.length,
      append: (message) => {
        const queue = queues[next] as PartitionQueue
        next = next + 1 === queues.length ? 0 : next + 1
        const writer = (queue.writer ??= new RecordBatchWriter(BUFFER_BYTES))
        writer.append(message, clock.now())
        if (writer.length >= BATCH_BYTES) sendBatch(queue)
      },
      flush: async () => {
        for (const queue of queues) sendBatch(queue)
        const sent = stored
        stored = []
        try {
          await Promise.all(sent)
        } catch (error) {
          throw faultOf(error, options)
        }
      },
      close: async () => {
        const closed = new Error('the sender was closed')
        for (const { sender } of queues) sender.close(closed)
        await cluster.close()
      },
    }
  } catch (error) {
    await cluster.close()
    throw error
  }
}

function faultOf(error: unknown, { topic, brokers }: SenderOptions): PipelineError {
  const fault = kafkaFaultOf(error, { topic, brokers, isWriting: true })
  if (fault !== undefined) return fault
  const detail = `expected the brokers to accept records, got: ${messageOf(error)}`
  const isTooLarge = hasErrorType(error, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
  const [code, advice] = isTooLarge
    ? (['KD_KAFKA_REFUSED', `; raise max.message.bytes of the topic above ${BATCH_BYTES}`] as const)
    : (['KD_KAFKA_UNREACHABLE', ''] as const)
  return new PipelineError(code, `${detail}${advice}`, { topic, brokers }, { cause: error })
}
