// An embedded broker in a process of its own, which outlives the workers that a test kills and can be killed itself. Prints
// its addresses as a line of JSON and ends with its standard input.
import { startEmbeddedKafka, type EmbeddedKafkaOptions } from '../../../src/embedded-kafka/embedded-kafka.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedKafkaOptions
const kafka = await startEmbeddedKafka(options)
process.stdout.write(`${JSON.stringify(kafka.brokers)}\n`)
process.stdin.resume().once('end', () => void kafka.stop())
