// Goal: nothing is lost and nothing is twice on the embedded broker, through SIGKILL of workers, rebalances and SIGTERM: the same tests pass as on a real one.
import { after } from 'node:test'
import { BROKERS_VARIABLE } from '../../support/servers/variables.ts'
import { startBrokerProcess } from '../support/broker-process.ts'

const broker = await startBrokerProcess()
process.env[BROKERS_VARIABLE] = broker.brokers.join()
after(() => broker.stop())
await import('../../integrity/exactly-once.test.ts')
