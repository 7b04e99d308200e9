import { createTopic } from '../../../src/kafka/client/admin.ts'
import type { KafkaServer } from '../../../src/local-servers/kafka.ts'
import { isTopicState, READY } from '../support/wanted.ts'
import type { Said, Scenario } from '../support/scenario.ts'

const SILENT: Said = {
  code: 503,
  readiness: ['unavailable'],
  server: { kind: 'kafka', states: ['open'], reason: /./ },
  topics: { orders: { states: ['waiting'], reason: /127\.0\.0\.1/ } },
  metrics: [
    { name: 'kafka_delta_circuit_state', labels: { kind: 'kafka' }, is: (value) => value === 2 },
    { name: 'kafka_delta_ready', is: (value) => value === 0 },
    isTopicState('waiting'),
  ],
  alert: 'KafkaDeltaCircuitOpen',
}
const OPENED = { level: 'warn', text: /^Circuit opened for .*127\.0\.0\.1/ } as const

/** Faults of the brokers: none, killed, silent, one of three. */
export const BROKER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'no-broker-at-start',
    fault: 'The service is started, and no broker answers',
    does: 'tries again until a broker answers, then opens its tables and reads',
    remedy: 'check `kafka.brokers`, the network and the brokers',
    prepare: async (night) => {
      const kafka = await night.kafka()
      const orders = await night.topic()
      const config = await night.config({ orders: orders.entry() })
      await kafka.halt('SIGKILL')
      return {
        config,
        said: { ...SILENT, lines: [OPENED] },
        remedy: () => kafka.resume(),
        exact: [orders],
        cleanUp: () => resumed(kafka),
      }
    },
  },
  {
    name: 'broker-killed',
    fault: 'The only broker dies while the service runs',
    does: 'sends its requests again; dead letters and offsets wait; goes on by itself',
    remedy: 'start the broker; nothing at the service',
    prepare: async (night) => {
      const kafka = await night.kafka()
      const orders = await night.topic()
      return {
        config: await night.config({ orders: orders.entry() }),
        fault: () => kafka.halt('SIGKILL'),
        said: { ...SILENT, lines: [OPENED] },
        during: async (process) => {
          const { lines } = await process.evidence()
          const loud = lines.filter((line) => /"level":"(?:warn|error)"/.test(line)).length
          return loud > LOUD_MAX ? [`${loud} warnings for one fault, more than ${LOUD_MAX}`] : []
        },
        remedy: () => kafka.resume(),
        exact: [orders],
        cleanUp: () => resumed(kafka),
      }
    },
  },
  {
    name: 'broker-silent',
    fault: 'The broker takes connections and never answers',
    does: 'gives each request up after its time-out and sends it again; goes on by itself',
    remedy: 'look at the broker: it is stopped, or its disk or memory hangs',
    prepare: async (night) => {
      const kafka = await night.kafka()
      const orders = await night.topic()
      return {
        config: await night.config({ orders: orders.entry() }),
        fault: () => Promise.resolve(void process.kill(kafka.pid, 'SIGSTOP')),
        said: { ...SILENT, lines: [OPENED] },
        remedy: () => Promise.resolve(void process.kill(kafka.pid, 'SIGCONT')),
        exact: [orders],
        cleanUp: () => Promise.resolve(void process.kill(kafka.pid, 'SIGCONT')),
      }
    },
  },
  {
    name: 'one-broker-of-three',
    fault: 'One of three brokers is dead, and partitions that live on it alone have no leader',
    does: 'reads the partitions of the other brokers; those without a leader wait',
    remedy: 'start the broker; give topics more than one replica',
    prepare: async (night) => {
      const cluster = await night.cluster()
      const { brokers } = cluster
      const [orders, single] = [
        await night.topic({ brokers, badEvery: NEVER }),
        await night.topic({ brokers, badEvery: NEVER, replicas: 1, partitions: 3 }),
      ]
      for (const { topic } of [orders, single])
        await createTopic({ brokers, clientId: 'night' }, `${topic}-dlq`, { partitions: 1 })
      const broken = cluster.nodes.get(3)
      return {
        config: await night.config(
          { orders: orders.entry(), single: single.entry() },
          { kafka: { brokers } },
        ),
        fault: () => broken?.halt('SIGKILL') ?? Promise.resolve(),
        said: {
          code: 200,
          readiness: ['ready', 'degraded'],
          server: { kind: 'kafka', states: ['closed'] },
          topics: {
            orders: { states: ['running'] },
            single: { states: ['running', 'waiting'], reason: /partition/ },
          },
          lines: [{ level: 'warn', text: /partition/ }],
        },
        remedy: () => broken?.resume() ?? Promise.resolve(),
        recovered: READY,
        exact: [orders, single],
        cleanUp: () => (broken === undefined ? Promise.resolve() : resumed(broken)),
      }
    },
  },
]

/** No record is a dead letter, which would wait for the coordinator of transactions on the dead broker. */
const NEVER = 1_000_000_000

/** Warnings and errors of a service of one topic in ten seconds without a broker. */
const LOUD_MAX = 6

/** Starts a broker unless it runs. */
async function resumed(kafka: KafkaServer): Promise<void> {
  try {
    process.kill(kafka.pid, 0)
  } catch {
    await kafka.resume()
  }
}
