import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin } from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { clusterOptionsOf } from '../../../src/kafka/client/wire-options.ts'
import { openCluster } from '../../../src/kafka/wire/open-cluster.ts'
import { fetchJars, javaCommand } from '../../../src/local-servers/maven.ts'
import { runProgram } from '../../../src/local-servers/process.ts'
import type { KafkaCluster } from '../../support/servers/kafka-cluster.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import {
  assertExact,
  assertUnharmed,
  BUDGET_BYTES,
  committed,
  settled,
  topicOf,
  type Setting,
} from './scenario.ts'
import { startWatched, type WatchedService } from './service.ts'
import { startSteadyLoad, type SteadyLoad } from './steady-load.ts'
import { TableLog } from './table-log.ts'

const PARTITIONS = 6
const NODES = [1, 2, 3]
const PROTOCOLS = ['classic', 'consumer'] as const
const NAMES_MAX = 100
const WAIT_MS_MAX = 120_000

/** One service of the scenario, with its table. */
interface Reader {
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly service: WatchedService
  readonly uri: string
  readonly log: TableLog
}

/** What the steps of the scenario work with. */
interface Run extends Setting {
  readonly topic: string
  readonly load: SteadyLoad
  readonly readers: readonly Reader[]
  readonly commitMsMax: number | undefined
}

/**
 * Brokers of a cluster of three fail one by one under load, read by a service with each group protocol: the coordinator is
 * killed and comes back, a leader is killed and comes back, the leaders move back, and then replicas move to other brokers. After each step, records that were
 * acknowledged after it are in the tables, and in the end the tables are exact. With `commitMsMax`, fails if they are not
 * there that soon after the brokers have acknowledged them, which they do once they have elected new leaders.
 */
export async function clusterFails(
  setting: Setting & {
    readonly cluster: KafkaCluster
    /** Further options `kafka` of the services. */
    readonly group?: object
    readonly commitMsMax?: number
    /** Takes only the steps of the coordinator's death, or of replicas that move; all by default. */
    readonly only?: 'coordinator' | 'replicas'
  },
): Promise<void> {
  const { cluster, rate, seed, folder } = setting
  const { brokers } = cluster
  const topic = nameForTests('cluster')
  const client = new kafkajs.Kafka({ brokers, clientId: 'faults', logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions: PARTITIONS })
  const perSend = Math.max(1, Math.round(rate / (PARTITIONS * 20)))
  const load = await startSteadyLoad(brokers, topic, { partitions: PARTITIONS, perSend, seed })
  const readers: Reader[] = []
  try {
    await load.sendBad()
    const coordinator = await groupsOn(brokers, topic)
    for (const protocol of PROTOCOLS) {
      const uri = join(folder, protocol)
      const config = {
        kafka: { brokers, groupId: coordinator.groups[protocol], groupProtocol: protocol, ...setting.group },
        budget: { bytes: BUDGET_BYTES },
        topics: { events: topicOf(topic, uri, { deadLetters: { topic: `${topic}-${protocol}-dlq` } }) },
      }
      const service = await startWatched(
        setting.program,
        config,
        join(folder, `${protocol}.json`),
        WAIT_MS_MAX,
      )
      readers.push({ protocol, service, uri, log: new TableLog(uri) })
    }
    const run: Run = { ...setting, topic, load, readers, commitMsMax: setting.commitMsMax }
    for (const { service } of readers) await service.until('commits', (look) => committed(look, topic) > 0)
    await isInSync(admin, topic)
    const { only } = setting
    if (only !== 'replicas')
      await brokersFail(run, cluster, {
        admin,
        coordinator: coordinator.node,
        isShort: only === 'coordinator',
      })
    if (only !== 'coordinator') await replicasMove(run, admin)
    await load.sendBad()
    const sent = await load.stop()
    for (const { service, uri, protocol } of readers) {
      await settled(service, topic, sent)
      await assertUnharmed(setting, service)
      await assertExact(setting, { brokers, topic, uri, deadLetterTopic: `${topic}-${protocol}-dlq` })
    }
  } finally {
    for (const { service } of readers) service.worker.kill('SIGKILL')
    await load.stop().catch(() => undefined)
    await admin.disconnect()
  }
}

/** Kills the coordinator, another leader, and moves the leaders back. */
async function brokersFail(
  run: Run,
  cluster: KafkaCluster,
  {
    admin,
    coordinator,
    isShort,
  }: { readonly admin: Admin; readonly coordinator: number; readonly isShort: boolean },
): Promise<void> {
  await step(run, `the coordinator of both groups, broker ${coordinator}, is killed`, () =>
    nodeOf(cluster, coordinator).halt('SIGKILL'),
  )
  await step(run, 'it is back', () => nodeOf(cluster, coordinator).resume())
  if (isShort) return
  // Nodes 2 and 3 are no controllers.
  const other = 5 - coordinator
  await isInSync(admin, run.topic)
  await step(run, `a leader, broker ${other}, is killed`, () => nodeOf(cluster, other).halt('SIGKILL'))
  await step(run, 'it is back', () => nodeOf(cluster, other).resume())
  await isInSync(admin, run.topic)
  await step(run, 'the preferred leaders are elected', () =>
    electPreferredLeaders(nodeOf(cluster, 1).brokers),
  )
}

/** Takes each partition away from the broker that leads it, brings another one in, and ends with three replicas again. */
async function replicasMove(run: Run, admin: Admin): Promise<void> {
  const { topic } = run
  const others = ({ replicas, leader }: Placement): readonly number[] =>
    replicas.filter((node) => node !== leader)
  const missing = ({ replicas }: Placement): readonly number[] =>
    NODES.filter((node) => !replicas.includes(node))
  await isInSync(admin, topic)
  await step(run, 'each partition loses the replica that leads it', () => reassign(admin, topic, others))
  await step(run, 'the replica that leads each partition moves to the broker without one', () =>
    reassign(admin, topic, (each) => [...missing(each), ...others(each)]),
  )
  await step(run, 'each partition has three replicas again', () =>
    reassign(admin, topic, (each) => [...each.replicas, ...missing(each)]),
  )
  await isInSync(admin, topic)
}

interface Placement {
  readonly leader: number
  readonly replicas: readonly number[]
}

/** Gives all partitions of a topic other replicas; resolves once no replica is on its way any more. */
async function reassign(
  admin: Admin,
  topic: string,
  replicasOf: (placement: Placement) => readonly number[],
): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitionAssignment = (topics[0]?.partitions ?? []).map(({ partitionId, leader, replicas }) => ({
    partition: partitionId,
    replicas: [...replicasOf({ leader, replicas })],
  }))
  await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
  const partitions = partitionAssignment.map(({ partition }) => partition)
  const untilMs = Date.now() + WAIT_MS_MAX
  for (;;) {
    const moving = await admin.listPartitionReassignments({ topics: [{ topic, partitions }] })
    if (moving.topics.length === 0) return
    assert.ok(Date.now() < untilMs, 'the replicas have moved')
    await sleep(100)
  }
}

/** Lets something happen; resolves once records that the brokers acknowledged after it are in all tables. */
async function step(run: Run, what: string, act: () => Promise<void>): Promise<void> {
  const beganMs = Date.now()
  await act()
  const actedMs = Date.now()
  const offsets = await run.load.acknowledged()
  const acknowledgedMs = Date.now() - beganMs
  const took = await Promise.all(
    run.readers.map(async ({ protocol, log, service }) => {
      while (!(await isReached(log, offsets))) {
        const isLate = Date.now() > beganMs + WAIT_MS_MAX
        assert.ok(!isLate, `${protocol}: ${what}\n${service.worker.lines.slice(-40).join('\n')}`)
        await sleep(50)
      }
      return { protocol, ms: Date.now() - beganMs }
    }),
  )
  run.say(
    `  ${what} (${actedMs - beganMs} ms): written again after ${acknowledgedMs} ms, in the table after ${took
      .map(({ protocol, ms }) => `${ms} ms (${protocol})`)
      .join(', ')}`,
  )
  for (const { protocol, ms } of took)
    assert.ok(ms - acknowledgedMs <= (run.commitMsMax ?? Infinity), `${what}: ${ms} ms with ${protocol}`)
}

async function isReached(log: TableLog, offsets: ReadonlyMap<number, bigint>): Promise<boolean> {
  for (const [partition, offset] of offsets) if ((await log.last(partition)) < offset) return false
  return true
}

/** Finds a group for each protocol that broker 2 or 3 coordinates, the same for both: broker 1 is the controller. */
async function groupsOn(
  brokers: string[],
  topic: string,
): Promise<{ readonly node: number; readonly groups: Readonly<Record<string, string>> }> {
  const cluster = openCluster(clusterOptionsOf({ brokers, clientId: 'faults' }))
  const groups: Record<string, string> = {}
  let node = 1
  try {
    for (let name = 0; name < NAMES_MAX; name++) {
      const protocol = PROTOCOLS.find((one) => groups[one] === undefined)
      if (protocol === undefined) return { node, groups }
      const groupId = `${topic}-${protocol}-${name}`
      const { nodeId } = await cluster.coordinator(groupId)
      if (nodeId === 1 || (node !== 1 && nodeId !== node)) continue
      node = nodeId
      groups[protocol] = groupId
    }
    throw new Error('no broker but the first coordinates groups')
  } finally {
    await cluster.close()
  }
}

/** Waits until all replicas of a topic are in sync, so that the next broker may die. */
async function isInSync(admin: Admin, topic: string): Promise<void> {
  const untilMs = Date.now() + WAIT_MS_MAX
  for (;;) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    if (topics[0]?.partitions.every(({ isr, leader }) => isr.length === 3 && leader >= 0) === true) return
    assert.ok(Date.now() < untilMs, 'the replicas are in sync')
    await sleep(200)
  }
}

async function electPreferredLeaders(brokers: readonly string[]): Promise<void> {
  const libraries = await fetchJars('kafka')
  await runProgram(
    javaCommand(),
    ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx128m', '-cp', join(libraries, '*')].concat(
      ['org.apache.kafka.tools.LeaderElectionCommand', '--bootstrap-server', brokers.join()],
      ['--election-type', 'preferred', '--all-topic-partitions'],
    ),
    { missing: 'Java is missing', runMsMax: WAIT_MS_MAX },
  )
}

function nodeOf({ nodes }: KafkaCluster, id: number): NonNullable<ReturnType<KafkaCluster['nodes']['get']>> {
  return nodes.get(id) ?? assert.fail(`there is no broker ${id}`)
}
