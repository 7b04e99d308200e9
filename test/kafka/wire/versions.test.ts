// Goal: a real broker understands every version of every API that it supports, and its responses can be read.
import { after, before, test } from 'node:test'
import { APIS, type ApiName } from '../../../src/kafka/wire/apis.ts'
import { kafkaForTests } from '../../support/servers/servers.ts'
import { openAskedBroker, type AskedBroker } from './support/asked-broker.ts'

let broker: AskedBroker

before(async () => {
  broker = await openAskedBroker(await kafkaForTests())
})
after(() => broker.close())

for (const api of Object.keys(APIS) as ApiName[]) test(`${api} in all versions`, () => broker.ask(api))
