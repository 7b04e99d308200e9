import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { after } from 'node:test'
import kafkajs from 'kafkajs'
import { assignBySubscription } from './kafkajs-assigner.ts'
import { joinGroup } from '../../../../src/kafka/group/join.ts'
import type { GroupMembership, GroupOptions } from '../../../../src/kafka/group/membership.ts'
import type { OwnedPartition } from '../../../../src/kafka/group/ownership.ts'
import { keyOfPartition } from '../../../../src/kafka/group/partitions.ts'
import type { Cluster } from '../../../../src/kafka/wire/cluster.ts'
import { openCluster } from '../../../../src/kafka/wire/open-cluster.ts'
import { fetchJars, javaCommand } from '../../../../src/local-servers/maven.ts'
import { socketsOfService } from '../../wire/support/sockets.ts'
import { Recording } from './recording.ts'

const closers: (() => Promise<void>)[] = []
after(async () => {
  for (const close of closers.reverse()) await close()
})

/** A participant of a group, with its owned partitions as text. */
export interface Participant {
  readonly name: string
  owned(): readonly string[]
}

/** One of our workers in a real group. */
export interface RealWorker extends Participant {
  readonly member: GroupMembership
  readonly recording: Recording
  readonly cluster: Cluster
  /** Leaves and closes. */
  stop(): Promise<void>
  /** Stops without leaving, like a killed process. */
  vanish(): Promise<void>
}

/** Checks that no partition has two owners at once among the participants that report their partitions. */
export class OwnerWatch {
  readonly #owners = new Map<string, string>()
  readonly faults: string[] = []

  take(name: string, keys: readonly string[]): void {
    for (const key of keys) {
      const other = this.#owners.get(key)
      if (other !== undefined && other !== name) this.faults.push(`${key} of ${name} is still of ${other}`)
      this.#owners.set(key, name)
    }
  }

  drop(name: string, keys: readonly string[]): void {
    for (const key of keys) if (this.#owners.get(key) === name) this.#owners.delete(key)
  }
}

/** Starts one of our workers. */
export function startWorker(
  name: string,
  brokers: readonly string[],
  watch: OwnerWatch,
  options: Pick<GroupOptions, 'groupId' | 'topics'> & Partial<GroupOptions>,
): RealWorker {
  const cluster = openCluster({ brokers, clientId: name, ...socketsOfService() })
  const recording = new Recording()
  const keys = (partitions: readonly OwnedPartition[]): string[] => partitions.map(keyOfPartition)
  const callbacks: GroupOptions['callbacks'] = {
    onAssign(partitions) {
      watch.take(name, keys(partitions))
      recording.onAssign(partitions)
    },
    async onRevoke(partitions, signal) {
      // Simulates the time of a flush.
      await setTimeout(50)
      await recording.onRevoke(partitions, signal)
      watch.drop(name, keys(partitions))
    },
    onLost(partitions) {
      watch.drop(name, keys(partitions))
      recording.onLost(partitions)
    },
    onFailure: (error) => recording.onFailure(error),
  }
  const member = joinGroup({
    cluster,
    callbacks,
    onEvent: recording.onEvent,
    heartbeatMs: 300,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
    ...options,
  })
  let isOver = false
  const stop = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    await member.stop()
    await cluster.close()
  }
  closers.push(stop)
  return {
    name,
    member,
    recording,
    cluster,
    owned: () => [...recording.owned.keys()].sort(),
    stop,
    vanish: async () => {
      isOver = true
      watch.drop(name, [...recording.owned.keys()])
      await cluster.close()
      void member.stop()
    },
  }
}

/** Joins a group as the only member of another application, which stays a member without heartbeats for half a minute. */
export async function startForeignMember(
  brokers: readonly string[],
  {
    groupId,
    protocolType,
    assignor,
  }: { readonly groupId: string; readonly protocolType: string; readonly assignor: string },
): Promise<void> {
  const cluster = openCluster({ brokers, clientId: 'foreign', ...socketsOfService() })
  closers.push(() => cluster.close())
  const request = { timeoutMs: 20_000 }
  for (let memberId = '', attempt = 0; attempt < 100; attempt++) {
    const coordinator = await cluster.coordinator(groupId, { refresh: attempt > 0 }).catch(() => undefined)
    const joined = await coordinator?.request(
      'JoinGroup',
      {
        groupId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 30_000,
        memberId,
        groupInstanceId: null,
        protocolType,
        protocols: [{ name: assignor, metadata: Buffer.from('x') }],
        reason: null,
      },
      request,
    )
    if (coordinator !== undefined && joined?.errorCode === 0) {
      const { generationId, protocolName } = joined
      const assignments = [{ memberId: joined.memberId, assignment: Buffer.alloc(0) }]
      const { errorCode } = await coordinator.request(
        'SyncGroup',
        {
          groupId,
          generationId,
          memberId: joined.memberId,
          groupInstanceId: null,
          protocolType,
          protocolName,
          assignments,
        },
        request,
      )
      assert.equal(errorCode, 0)
      return
    }
    memberId = joined?.memberId ?? memberId
    await setTimeout(100)
  }
  assert.fail(`the group ${groupId} could not be joined`)
}

/** Starts a consumer like that of workers up to version 0.1. */
export async function startOldWorker(
  name: string,
  brokers: readonly string[],
  watch: OwnerWatch,
  { groupId, topics }: { readonly groupId: string; readonly topics: readonly string[] },
): Promise<Participant & { stop(): Promise<void> }> {
  const client = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: name,
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const consumer = client.consumer({
    groupId,
    partitionAssigners: [assignBySubscription],
    heartbeatInterval: 300,
    sessionTimeout: 10_000,
    rebalanceTimeout: 20_000,
    // kafkajs sends heartbeats only between fetches.
    maxWaitTimeInMs: 200,
  })
  let owned: string[] = []
  consumer.on('consumer.group_join', ({ payload }) => {
    owned = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => keyOfPartition({ topic, partition })),
    )
    watch.take(name, owned)
  })
  const drop = (): void => {
    watch.drop(name, owned)
    owned = []
  }
  consumer.on('consumer.rebalancing', drop)
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics] })
  await consumer.run({ eachMessage: () => Promise.resolve() })
  let isOver = false
  const stop = async (): Promise<void> => {
    if (isOver) return
    isOver = true
    drop()
    await consumer.disconnect()
  }
  closers.push(stop)
  return { name, owned: () => [...owned].sort(), stop }
}

/** Starts a consumer of the Java client that reports assigned and revoked partitions. */
export async function startJavaConsumer(
  name: string,
  brokers: readonly string[],
  {
    groupId,
    topic,
    args,
  }: { readonly groupId: string; readonly topic: string; readonly args: readonly string[] },
): Promise<Participant & { stop(): Promise<void> }> {
  const libraries = await fetchJars('kafka')
  const program = spawn(
    javaCommand(),
    ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx128m', '-cp', join(libraries, '*')].concat(
      ['org.apache.kafka.tools.VerifiableConsumer', '--bootstrap-server', brokers.join(',')],
      ['--topic', topic, '--group-id', groupId],
      args,
    ),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const owned = new Set<string>()
  createInterface({ input: program.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return
    const { name: event, partitions = [] } = JSON.parse(line) as {
      name: string
      partitions?: { topic: string; partition: number }[]
    }
    if (event === 'partitions_assigned') for (const one of partitions) owned.add(keyOfPartition(one))
    if (event === 'partitions_revoked') for (const one of partitions) owned.delete(keyOfPartition(one))
  })
  const ended = new Promise<void>((resolve) => program.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    program.kill('SIGTERM')
    await ended
    owned.clear()
  }
  closers.push(stop)
  return { name, owned: () => [...owned].sort(), stop }
}

/** Waits until a condition holds. */
export async function eventually(isSo: () => boolean, what: () => string, msMax = 60_000): Promise<void> {
  const untilMs = Date.now() + msMax
  while (!isSo()) {
    if (Date.now() > untilMs) assert.fail(`it did not come about: ${what()}`)
    await setTimeout(20)
  }
}

/** Waits until the participants share all partitions of topics, with loads that differ by at most one. */
export async function shared(
  participants: readonly Participant[],
  topics: Readonly<Record<string, number>>,
  isEven = true,
): Promise<void> {
  const expected = Object.entries(topics)
    .flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => keyOfPartition({ topic, partition })),
    )
    .sort()
  await eventually(
    () => {
      const all = participants.map((one) => one.owned())
      const counts = all.map(({ length }) => length)
      return (
        all.flat().sort().join() === expected.join() &&
        (!isEven || Math.max(...counts) - Math.min(...counts) <= 1)
      )
    },
    () => participants.map((one) => `${one.name}: ${one.owned().join(' ')}`).join('; '),
  )
}
