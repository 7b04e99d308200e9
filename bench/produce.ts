import { createDemoKafka } from '../src/cli/demo/kafka.ts'
import { showProgress } from '../src/cli/progress.ts'
import { generateUserEvents } from '../src/sample/user-events.ts'

/**
 * Creates a topic and its dead-letter topic and fills it with user events. Resolves to the size of all
 * values, in bytes.
 */
export async function produce(
  brokers: readonly string[],
  topic: { readonly topic: string; readonly partitions: number },
  records: number,
): Promise<number> {
  const kafka = createDemoKafka(brokers)
  await kafka.createTopics([topic, { topic: `${topic.topic}-dlq`, partitions: 1 }])
  const progress = showProgress(process.stdout, 'Producing', records)
  const { bytes } = await kafka.produce(
    topic.topic,
    generateUserEvents({ seed: 1, count: records }),
    (sent) => {
      progress.update(sent)
    },
  )
  progress.end()
  return bytes
}
