import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { Credit } from '../../../src/core/credit/credit.ts'
import { createSource } from '../../../src/kafka/source/consumer-source.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { writeFile } from 'node:fs/promises'
import { NightProcess } from '../support/process.ts'
import type { Said, Scenario } from '../support/scenario.ts'
import { isPositive, READY } from '../support/wanted.ts'

const STORM_EVERY_MS = 2_000

/** Faults of consumer groups and of the processes in them. */
export const GROUP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'group-of-another-application',
    fault: 'The group belongs to another application',
    does: 'ends at once with exit code 2: a restart would not help',
    remedy: 'choose another `kafka.groupId`',
    prepare: async (night) => {
      const brokers = await night.brokers()
      const orders = await night.topic()
      const groupId = nameForTests('taken')
      const other = await joinAsAnother(brokers, groupId, orders.topic)
      return {
        config: await night.config({ orders: orders.entry() }, { kafka: { groupId } }),
        said: { lines: [{ level: 'error', text: /is used by another kind of consumer/ }] },
        exit: 2,
        cleanUp: () => other.disconnect(),
      }
    },
  },
  {
    name: 'group-renamed',
    fault: '`kafka.groupId` was changed, and with it the `appId` of the topic',
    does: 'reads from `startFrom` under the new `appId` and warns with both; `onSecondAppId: refuse` stops instead',
    remedy: 'set `topics.<name>.appId` to the former group to go on where the table ends',
    prepare: async (night) => {
      const orders = await night.topic()
      const topics = { orders: orders.entry({ startFrom: 'latest' }) }
      const first = await night.config({ orders: orders.entry() })
      const path = join(night.folder, `${orders.topic}.json`)
      await writeFile(path, JSON.stringify(first))
      await sleep(1_000)
      orders.feed.pause()
      await sleep(500)
      const run = startWorker(night.program, ['run', '--config', path, '--until', 'latest'])
      if ((await run.ended) !== 0) throw new Error(`the first run failed: ${run.lines.at(-1) ?? ''}`)
      return {
        config: await night.config(topics),
        said: { ...READY, lines: [{ level: 'warn', text: /already holds this topic under the appId/ }] },
        remedy: () => {
          orders.feed.resume()
          return Promise.resolve()
        },
        exact: [orders],
        // Nothing is to be read before the feed goes on.
        watched: [],
      }
    },
  },
  {
    name: 'one-of-two-killed',
    fault: 'One of two services of a group is killed (SIGKILL)',
    does: 'the other one takes its partitions after `kafka.sessionTimeoutMs`',
    remedy: 'nothing, or start another one',
    prepare: async (night) => {
      const orders = await night.topic()
      const config = await night.config({ orders: orders.entry() })
      const other = await NightProcess.start(night.program, config, join(night.folder, 'other.json'))
      return {
        config,
        fault: async (process) => {
          await Promise.all([
            process.mustSay('one partition', ofPartitions(1)),
            other.mustSay('one partition', ofPartitions(1)),
          ])
          process.mark()
          other.worker.kill('SIGKILL')
        },
        said: {
          ...READY,
          ...ofPartitions(2),
          lines: [{ level: 'info', text: /assigned/i }],
        },
        exact: [orders],
        cleanUp: () => {
          other.worker.kill('SIGKILL')
          return Promise.resolve()
        },
      }
    },
  },
  {
    name: 'rebalance-storm',
    fault: 'A member joins and leaves the group every two seconds',
    does: 'goes on between rebalances; counts them in `kafka_delta_rebalances_total`',
    remedy: 'find the member that restarts: its log, its memory limit, its `groupInstanceId`',
    prepare: async (night) => {
      const brokers = await night.brokers()
      const orders = await night.topic()
      const groupId = nameForTests('storm')
      let isOver = false
      let storm: Promise<void> = Promise.resolve()
      return {
        config: await night.config({ orders: orders.entry() }, { kafka: { groupId } }),
        fault: () => {
          storm = joinAndLeave(brokers, groupId, orders.topic, () => isOver)
          return Promise.resolve()
        },
        said: {
          ...READY,
          topics: { orders: { states: ['running'], lag: 'number' } },
          metrics: [
            {
              name: 'kafka_delta_rebalances_total',
              labels: { topic: orders.topic },
              is: (value) => (value ?? 0) >= 4,
            },
          ],
        },
        during: async (process) => {
          const before = process.worker.lines.length
          await sleep(3 * STORM_EVERY_MS)
          const loud = process.worker.lines
            .slice(before)
            .filter(
              (line) => /"level":"(?:warn|error)"/.test(line) && !line.includes('"Writing dead letters"'),
            )
          const messages = loud.map((line) => (JSON.parse(line) as { readonly msg: string }).msg.slice(0, 80))
          return loud.length > 3 ? [`warnings in six seconds of rebalances: ${messages.join('; ')}`] : []
        },
        remedy: async () => {
          isOver = true
          await storm
        },
        recovered: { ...READY, metrics: [isPositive('kafka_delta_rebalances_total')] },
        exact: [orders],
        cleanUp: async () => {
          isOver = true
          await storm
        },
      }
    },
  },
]

/** Wants the topic to have so many partitions in this process. */
function ofPartitions(wanted: number): Said {
  return {
    also: ({ status }) => {
      const count = status?.topics['orders']?.partitions.length ?? 0
      return count === wanted ? [] : [`it has ${count} partitions, not ${wanted}`]
    },
  }
}

/** Joins a group with an assignor that nobody else has. */
async function joinAsAnother(
  brokers: readonly string[],
  groupId: string,
  topic: string,
): Promise<kafkajs.Consumer> {
  const client = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'another',
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const { AssignerProtocol } = kafkajs
  const assigner: kafkajs.PartitionAssigner = () => ({
    name: 'of-another-application',
    version: 1,
    assign: ({ members }) =>
      Promise.resolve(
        members.map(({ memberId }) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment: {},
            userData: Buffer.alloc(0),
          }),
        })),
      ),
    protocol: ({ topics }) => ({
      name: 'of-another-application',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
    }),
  })
  const consumer = client.consumer({ groupId, partitionAssigners: [assigner] })
  await consumer.connect()
  await consumer.subscribe({ topic })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({ eachMessage: () => Promise.resolve() })
  await joined
  return consumer
}

/** Joins a group and leaves it again, until it is over. What it reads is committed nowhere. */
async function joinAndLeave(
  brokers: readonly string[],
  groupId: string,
  topic: string,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const source = createSource({
      brokers: [...brokers],
      clientId: 'storm',
      groupId,
      topic,
      startFrom: 'latest',
      resume: () => Promise.resolve(undefined),
      credit: new Credit(1024 * 1024),
      costBytes: (raw) => raw.bytes.length,
      until: 'stopped',
    })
    const reading = source.batches.subscribe({ error: () => undefined })
    await sleep(STORM_EVERY_MS)
    reading.unsubscribe()
    await source.close()
    await sleep(STORM_EVERY_MS / 4)
  }
}
