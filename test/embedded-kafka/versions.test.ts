// Goal: the embedded broker answers every version of every API as a real broker does.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startEmbeddedKafka, type EmbeddedKafka } from '../../src/embedded-kafka/embedded-kafka.ts'
import { APIS, type ApiName } from '../../src/kafka/wire/apis.ts'
import { openAskedBroker, type AskedBroker } from '../kafka/wire/support/asked-broker.ts'

/** The embedded broker has no logins. */
const ABSENT: readonly ApiName[] = ['SaslHandshake', 'SaslAuthenticate']

let kafka: EmbeddedKafka
let broker: AskedBroker

before(async () => {
  kafka = await startEmbeddedKafka({
    onError: (error) => {
      throw error
    },
  })
  broker = await openAskedBroker(kafka.brokers)
})
after(async () => {
  await broker.close()
  await kafka.stop()
})

for (const api of Object.keys(APIS) as ApiName[])
  test(`${api} in all versions`, async () => {
    assert.equal(broker.has(api), !ABSENT.includes(api))
    if (broker.has(api)) await broker.ask(api)
  })
