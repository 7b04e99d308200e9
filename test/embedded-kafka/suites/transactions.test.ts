// Goal: transactions of Java producers and Java's consumer beside ours find no difference between the embedded broker and a real one: the same tests pass on both.
import { useEmbeddedKafka } from './on-embedded.ts'

await useEmbeddedKafka()
await import('../../kafka/fetch/transactions.test.ts')
