import { after } from 'node:test'
import { startEmbeddedKafka } from '../../../src/embedded-kafka/embedded-kafka.ts'
import { BROKERS_VARIABLE } from '../../support/servers/variables.ts'

/** Makes the embedded broker the one that the tests of this process use; call it before they are imported. */
export async function useEmbeddedKafka(): Promise<void> {
  const errors: unknown[] = []
  const kafka = await startEmbeddedKafka({ onError: (error) => errors.push(error) })
  process.env[BROKERS_VARIABLE] = kafka.brokers.join()
  after(async () => {
    await kafka.stop()
    if (errors.length > 0) throw new AggregateError(errors, 'The embedded broker could not answer requests')
  })
}
