// Goal: our consumer, with its groups, resets and restarts, finds no difference between the embedded broker and a real one: the same tests pass on both.
import { useEmbeddedKafka } from './on-embedded.ts'

await useEmbeddedKafka()
await import('../../kafka/source/consumer-source.test.ts')
