import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import type { FedTopic, Night } from '../support/night.ts'
import type { Act, Scenario } from '../support/scenario.ts'
import { isPositive, READY } from '../support/wanted.ts'

/** Faults of records and of where dead letters go. */
export const LETTER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'poison-records',
    fault: 'No record of a topic can become a row',
    does: 'each becomes a dead letter with its reason; reading goes on. `deadLetters.maxRate` stops the topic instead',
    remedy: '`kafka-delta dlq group` shows the causes; correct the producer or the contract, then replay',
    isShort: true,
    prepare: async (night) => {
      const orders = await night.topic({ badEvery: 1, isPaused: true })
      return {
        config: await night.config({ orders: orders.entry() }),
        fault: () => resume(orders),
        begins: 'idle',
        said: {
          ...READY,
          topics: { orders: { states: ['running'], lag: 'number' } },
          lines: [{ level: 'warn', text: /dead letter/i }],
          metrics: [
            isPositive('kafka_delta_dead_letters_total', { topic: orders.topic }),
            isPositive('kafka_delta_records_total', { topic: orders.topic, outcome: 'dead_letter' }),
          ],
          alert: 'KafkaDeltaDeadLetterBurst',
        },
        exact: [orders],
      }
    },
  },
  {
    name: 'too-many-dead-letters',
    fault: 'More records are bad than `deadLetters.maxRate` allows',
    does: 'the topic stops; nothing of the flush is written',
    remedy: 'correct the cause that the message names, then restart the topic',
    code: 'KD_TOO_MANY_DEAD_LETTERS',
    prepare: async (night) => {
      const [orders, local] = [await night.topic({ badEvery: 2, isPaused: true }), await night.topic()]
      const deadLetters = { maxRate: 0.1, maxRateRecordsMin: 1 }
      const topics = { orders: orders.entry({ deadLetters }), local: local.entry() }
      return {
        config: await night.config(topics),
        fault: () => resume(orders),
        begins: 'idle',
        said: {
          code: 200,
          readiness: ['degraded'],
          topics: {
            orders: { states: ['failed'], failure: 'KD_TOO_MANY_DEAD_LETTERS', reason: /./ },
            local: { states: ['running'] },
          },
          lines: [{ level: 'error', text: /dead letters/, code: 'KD_TOO_MANY_DEAD_LETTERS' }],
          metrics: [isPositive('kafka_delta_topic_state', { topic: orders.topic, state: 'failed' })],
          alert: 'KafkaDeltaTopicFailed',
        },
        exact: [local],
        watched: [orders, local],
      }
    },
  },
  {
    name: 'letters-too-small',
    fault: 'The dead-letter topic takes no record of 8 KiB (`max.message.bytes`)',
    does: 'the flush is not committed; the topic restarts until the letters can be written',
    remedy: 'raise `max.message.bytes` of the dead-letter topic',
    code: 'KD_DEAD_LETTERS_FAILED',
    prepare: (night) => refused(night, 'max.message.bytes', '300', '1048588'),
  },
]

/** Lets the records come. */
function resume({ feed }: FedTopic): Promise<void> {
  feed.resume()
  return Promise.resolve()
}

/** Two topics; the brokers refuse the dead letters of one because of a setting of its dead-letter topic. */
async function refused(night: Night, setting: string, bad: string, good: string): Promise<Act> {
  const [orders, local] = [await night.topic({ badEvery: 5, isPaused: true }), await night.topic()]
  const deadLetterTopic = `${orders.topic}-dlq`
  const client = { brokers: [...(await night.brokers())], clientId: 'night' }
  await createTopic(client, deadLetterTopic, { partitions: 1, config: { [setting]: bad } })
  const retry = { attempts: 3, baseMs: 100, capMs: 500 }
  const topics = {
    orders: orders.entry({ retry, restart: { attempts: 100, baseMs: 1_000, capMs: 2_000 } }),
    local: local.entry(),
  }
  return {
    config: await night.config(topics),
    fault: () => resume(orders),
    begins: 'idle',
    said: {
      code: 200,
      readiness: ['degraded'],
      topics: {
        orders: { states: ['restarting', 'waiting'], reason: /-dlq/ },
        local: { states: ['running'] },
      },
      lines: [{ level: 'warn', text: /dead letters|-dlq/i }],
      alert: 'KafkaDeltaTopicWaiting',
    },
    remedy: () =>
      night.asAdmin(async (admin) => {
        const configEntries = [{ name: setting, value: good }]
        const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: deadLetterTopic, configEntries }
        await admin.alterConfigs({ validateOnly: false, resources: [resource] })
      }),
    recovered: READY,
    exact: [orders, local],
  }
}
