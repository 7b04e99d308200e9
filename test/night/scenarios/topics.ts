import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { hasLeaders, topicExists } from '../../../src/kafka/client/topic-metadata.ts'
import { expectedOf } from '../../faults/support/load.ts'
import type { Expected } from '../../integrity/support/topic.ts'
import type { FedTopic, Night } from '../support/night.ts'
import { compareWith } from '../support/compare.ts'
import type { NightProcess } from '../support/process.ts'
import type { Scenario } from '../support/scenario.ts'
import { isTopicState, ordersFailed, READY } from '../support/wanted.ts'

const FUTURE_MS = 30 * 60_000

/** Faults of topics and their records in Kafka. */
export const TOPIC_SCENARIOS: readonly Scenario[] = [
  {
    name: 'topic-deleted',
    fault: 'A topic is deleted in Kafka, another one goes on',
    does: 'the topic waits for it and then restarts until it is back; other topics go on',
    remedy: 'remove the entry, or create the topic again and set another `appId`',
    code: 'KD_TOPIC_MISSING',
    prepare: async (night) => {
      const [orders, local] = [await night.topic(), await night.topic()]
      let expected: Expected | undefined
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        fault: async (process) => {
          expected = await frozen(night, orders, process)
          await night.asAdmin((admin) => admin.deleteTopics({ topics: [orders.topic] }))
        },
        said: {
          code: 200,
          readiness: ['degraded'],
          topics: {
            orders: { states: ['waiting', 'restarting'], reason: /exist|deleted|UNKNOWN_TOPIC/ },
            local: { states: ['running'] },
          },
          alert: 'KafkaDeltaTopicWaiting',
        },
        exact: [local],
        watched: [orders, local],
        verify: () => sameAs(expected, orders, night),
      }
    },
  },
  {
    name: 'topic-recreated',
    fault: 'A topic is deleted and created again under the same name',
    does: 'the topic stops: its offsets belong to the old topic; the table is unchanged',
    remedy: 'set another `appId` to read the new topic from its start',
    code: 'KD_OFFSETS_VANISHED',
    prepare: async (night) => {
      const [orders, local] = [await night.topic(), await night.topic()]
      let expected: Expected | undefined
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        fault: async (process) => {
          expected = await frozen(night, orders, process)
          await recreate(night, orders.topic)
          orders.feed.resume()
        },
        said: ordersFailed(orders.topic, 'KD_OFFSETS_VANISHED', /created again/),
        exact: [local],
        watched: [orders, local],
        verify: () => sameAs(expected, orders, night),
      }
    },
  },
  {
    name: 'topic-missing',
    fault: 'A named topic does not exist at the start',
    does: 'the topic fails; other topics go on',
    remedy: 'correct `topics.<name>.topic` or create the topic, then restart the topic',
    code: 'KD_TOPIC_MISSING',
    isShort: true,
    prepare: async (night) => {
      const [orders, local] = [await night.topic(), await night.topic()]
      const missing = `${orders.topic}-misspelt`
      const topics = { orders: orders.entry({ topic: missing }), local: local.entry() }
      const said = ordersFailed(orders.topic, 'KD_TOPIC_MISSING', /does not exist|misspelt/)
      return {
        config: await night.config(topics),
        said: { ...said, metrics: [isTopicState('failed', missing)] },
        exact: [local],
        watched: [orders, local],
      }
    },
  },
  {
    name: 'retention-passed',
    fault: 'Retention has deleted records that were not read yet',
    does: 'the topic stops: going on would leave a gap that nobody sees',
    remedy: 'set another `appId` to accept the gap; give the topic a longer retention',
    code: 'KD_OFFSETS_VANISHED',
    prepare: async (night) => {
      const [orders, local] = [await night.topic(), await night.topic()]
      let expected: Expected | undefined
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        fault: async (process) => {
          expected = await frozen(night, orders, process)
          await process.verb('orders', 'pause')
          orders.feed.resume()
          await sleep(3_000)
          orders.feed.pause()
          await sleep(500)
          await deleteRecords(night, orders.topic)
          await process.verb('orders', 'resume')
        },
        said: ordersFailed(orders.topic, 'KD_OFFSETS_VANISHED', /retention|gone|vanished|deleted/),
        exact: [local],
        verify: () => sameAs(expected, orders, night),
      }
    },
  },
  {
    name: 'records-from-the-future',
    fault: 'Records have timestamps half an hour ahead',
    does: 'writes them as they are; says so once an hour; freshness is never below zero',
    remedy: 'set the clock of the producer',
    prepare: async (night) => {
      const timestamp = (): string => String(Date.now() + FUTURE_MS)
      const orders = await night.topic({
        isPaused: true,
        message: ({ key, value }) => ({ key, value, timestamp: timestamp() }),
      })
      return {
        config: await night.config({ orders: orders.entry() }),
        fault: () => {
          orders.feed.resume()
          return Promise.resolve()
        },
        begins: 'idle',
        said: {
          ...READY,
          topics: { orders: { states: ['running'], lag: 'number' } },
          lines: [{ level: 'warn', text: /future/ }],
          metrics: [
            { name: 'kafka_delta_freshness', is: (value) => value === undefined || value >= 0 },
            { name: 'kafka_delta_lag_time', is: (value) => value === undefined || value >= 0 },
          ],
          also: ({ status }) => {
            const { futureMs, freshnessMs = 0 } = status?.topics['orders'] ?? {}
            return [
              ...((futureMs ?? 0) > 0 ? [] : ['/status does not say futureMs']),
              ...((freshnessMs ?? 0) >= 0 ? [] : [`freshnessMs is ${freshnessMs}`]),
            ]
          },
        },
        exact: [orders],
      }
    },
  },
]

/** Stops the feed and returns what the topic, and by now its table, holds. */
async function frozen(night: Night, topic: FedTopic, process: NightProcess): Promise<Expected> {
  topic.feed.pause()
  await sleep(500)
  const brokers = await night.brokers()
  const open = await process.settled(brokers, topic.topic)
  if (open > 0) throw new Error(`${topic.topic} is not read to its end`)
  return expectedOf(brokers, topic.topic)
}

async function sameAs(
  expected: Expected | undefined,
  topic: FedTopic,
  night: Night,
): Promise<readonly string[]> {
  if (expected === undefined) return []
  return compareWith(expected, topic, await night.brokers(), night)
}

async function recreate(night: Night, topic: string): Promise<void> {
  await night.asAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    while (await topicExists(admin, topic)) await sleep(100)
    await createTopic({ brokers: await night.brokers(), clientId: 'night' }, topic, { partitions: 2 })
    while (!(await hasLeaders(admin, topic))) await sleep(100)
  })
}

async function deleteRecords(night: Night, topic: string): Promise<void> {
  await night.asAdmin(async (admin) => {
    const ends = await admin.fetchTopicOffsets(topic)
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }))
    await admin.deleteTopicRecords({ topic, partitions })
  })
}
