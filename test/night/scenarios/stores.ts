import type { Fault } from '../../support/network/fault-proxy.ts'
import type { Night } from '../support/night.ts'
import type { Act, Said, Scenario } from '../support/scenario.ts'
import { isTopicState, READY } from '../support/wanted.ts'

/** What is said when one topic's store is down and another topic, on a local disk, works. */
const DOWN: Said = {
  code: 200,
  readiness: ['degraded'],
  server: { kind: 'stores', states: ['open', 'half-open'], reason: /./ },
  topics: { orders: { states: ['waiting'], reason: /s3:\/\// }, local: { states: ['running'] } },
  lines: [{ level: 'warn', text: /^Circuit opened for s3:\/\// }],
  metrics: [
    { name: 'kafka_delta_circuit_state', labels: { kind: 'store' }, is: (value) => (value ?? 0) >= 1 },
    isTopicState('waiting'),
  ],
  alert: 'KafkaDeltaCircuitOpen',
}

/** Faults of the object store. */
export const STORE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'store-refuses',
    fault: 'The object store refuses connections',
    does: 'the topics of the bucket wait, others go on; one trial request each `circuit.openMs`; goes on by itself',
    remedy: 'check the endpoint and the network',
    isShort: true,
    prepare: (night) => broken(night, 'refuse'),
  },
  {
    name: 'store-slow-down',
    fault: 'The object store throttles all requests (503 SlowDown)',
    does: 'the topics of the bucket wait; goes on by itself',
    remedy: 'ask for a higher rate; fewer and larger flushes',
    prepare: (night) => broken(night, 'slow-down'),
  },
  {
    name: 'store-hangs',
    fault: 'The object store takes requests and never answers',
    does: 'each request is given up after its time-out; the topics of the bucket wait; goes on by itself',
    remedy: 'look at the store and what is between',
    prepare: async (night) => {
      const act = await broken(night, 'hang')
      return {
        ...act,
        // The circuit opens only once requests have run into their time-outs.
        said: {
          code: 200,
          readiness: ['degraded'],
          topics: {
            orders: { states: ['waiting'], reason: /s3:\/\/.*answered none/ },
            local: { states: ['running'] },
          },
          lines: [{ level: 'warn', text: /answered none/ }],
          metrics: [isTopicState('waiting')],
          alert: 'KafkaDeltaTopicWaiting',
        },
      }
    },
  },
  {
    name: 'store-forbidden',
    fault: 'The object store refuses credentials that have worked (403)',
    does: 'the topics of the bucket wait and try again slowly: credentials may be renewed',
    remedy: 'renew the credentials, or give the permission back',
    prepare: (night) => broken(night, 'forbidden', /403|denied|credential|permission/i),
  },
  {
    name: 'bucket-missing',
    fault: 'The bucket does not exist at the start',
    does: 'the topic fails at once; other topics go on',
    remedy: 'create the bucket or correct `table.uri`, then restart the topic',
    code: 'KD_STORE_FAILED',
    prepare: async (night) => {
      const bucket = await night.bucket({ isMissing: true })
      const [orders, local] = [await night.topic({ bucket }), await night.topic()]
      const topics = { orders: orders.entry(), local: local.entry() }
      return {
        config: await night.config(topics, { storage: bucket.storage }),
        said: {
          code: 200,
          readiness: ['degraded'],
          topics: {
            orders: { states: ['failed'], failure: 'KD_STORE_FAILED', reason: /bucket/i },
            local: { states: ['running'] },
          },
          lines: [{ level: 'error', text: /bucket/i, code: 'KD_STORE_FAILED' }],
          metrics: [isTopicState('failed', orders.topic)],
          alert: 'KafkaDeltaTopicFailed',
        },
        exact: [local],
        watched: [orders, local],
      }
    },
  },
  {
    name: 'sigterm-store-down',
    fault: 'SIGTERM comes while the store is down and a flush waits',
    does: 'waits for four fifths of `shutdown.deadlineMs`, then ends; what was not committed is read again',
    remedy: 'nothing: the next start goes on where the table ends',
    prepare: async (night) => {
      const bucket = await night.bucket()
      const orders = await night.topic({ bucket })
      const config = await night.config({ orders: orders.entry() }, { storage: bucket.storage })
      return {
        config,
        fault: async (process) => {
          await bucket.proxy.set('refuse')
          await process.mustSay('a store that is down', { readiness: ['unavailable'] })
          process.worker.kill('SIGTERM')
        },
        said: { lines: [{ level: 'info', text: /Stopping|Shutting down|SIGTERM/i }] },
        exit: 4,
        watched: [orders],
      }
    },
  },
]

/** Two topics, one in a bucket that breaks in this way, one on a local disk. */
async function broken(night: Night, fault: Fault, reason = /s3:\/\//): Promise<Act> {
  const bucket = await night.bucket()
  const [orders, local] = [await night.topic({ bucket }), await night.topic()]
  const topics = { orders: orders.entry(), local: local.entry() }
  return {
    config: await night.config(topics, { storage: bucket.storage }),
    fault: () => bucket.proxy.set(fault),
    said: {
      ...DOWN,
      topics: { ...DOWN.topics, orders: { states: ['waiting'], reason } },
    },
    remedy: () => bucket.proxy.set('pass'),
    recovered: READY,
    exact: [orders, local],
  }
}
