import { demoKafka } from '../src/cli/demo/kafka.ts'
import { showProgress } from '../src/cli/progress.ts'
import { userEvents } from '../src/sample/user-events.ts'

/** Creates a topic and that of its dead letters and fills it with user events; resolves to the bytes of all values. */
export async function produce(
  brokers: readonly string[],
  topic: { readonly topic: string; readonly partitions: number },
  records: number,
): Promise<number> {
  const kafka = demoKafka(brokers)
  await kafka.createTopics([topic, { topic: `${topic.topic}-dlq`, partitions: 1 }])
  const progress = showProgress(process.stdout, 'Producing', records)
  const { bytes } = await kafka.produce(topic.topic, userEvents({ seed: 1, count: records }), (sent) => {
    progress.at(sent)
  })
  progress.end()
  return bytes
}
