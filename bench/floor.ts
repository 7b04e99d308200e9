// The floor: a kafkajs consumer that reads the topic and only counts records.
import { createKafka } from '../src/kafka/client/client.ts'
import { report, taskOfProcess } from './measured.ts'

const task = taskOfProcess()
const kafka = await createKafka({ brokers: task.brokers, clientId: 'kafka-delta-bench' })
let records = 0
let startMs = 0
if (task.records > 0) {
  const consumer = kafka.consumer({
    groupId: task.groupId,
    maxBytesPerPartition: task.fetch.bytesPerPartitionMax,
    maxBytes: task.fetch.bytesMax,
    maxWaitTimeInMs: 500,
  })
  await consumer.connect()
  await consumer.subscribe({ topic: task.topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          if (records === 0) startMs = performance.now()
          records += batch.messages.length
          if (records >= task.records) resolve()
          return Promise.resolve()
        },
      })
      .catch(reject)
  })
  const wallMs = performance.now() - startMs
  await consumer.disconnect()
  report(records, wallMs)
} else report(0, 0)
