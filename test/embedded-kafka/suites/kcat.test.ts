// Goal: kcat finds no difference between the embedded broker and a real one: the same tests pass on both.
import { useEmbeddedKafka } from './on-embedded.ts'

await useEmbeddedKafka()
await import('../../kafka/client/kcat.test.ts')
