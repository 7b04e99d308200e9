// Simulates members against a model of the coordinator, with random starts, stops, kills, network failures and moves,
// by seed and with a simulated clock.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assignor } from '../../../src/kafka/group/assignors/assignor.ts'
import { BY_SUBSCRIPTION } from '../../../src/kafka/group/assignors/by-subscription.ts'
import { ClassicMember } from '../../../src/kafka/group/classic-member.ts'
import type { GroupMember } from '../../../src/kafka/group/member.ts'
import type { GroupOptions } from '../../../src/kafka/group/membership.ts'
import { chanceBy, chanceOf, type Chance } from '../../support/values/chance.ts'
import { ConsumerProtocolMember } from '../../../src/kafka/group/consumer-protocol-member.ts'
import { ModelConsumerCoordinator } from './support/model-consumer-coordinator.ts'
import { ModelCoordinator } from './support/model-coordinator.ts'
import { Recording } from './support/recording.ts'
import { SimClock } from './support/sim-clock.ts'
import { LinkedCluster } from './support/wire-link.ts'

const RUNS = Number(process.env['TEST_RUNS'] ?? 10)
const STEPS = 40
const TOPICS = new Map([
  ['a', 5],
  ['b', 3],
  ['c', 2],
])

/** A worker up to version 0.1: supports one protocol and ignores owned partitions. */
const OLD: Assignor = {
  ...BY_SUBSCRIPTION,
  version: 0,
  assign: (members, counts) =>
    BY_SUBSCRIPTION.assign(
      members.map((one) => ({ ...one, owned: [] })),
      counts,
    ),
}

interface Worker {
  readonly name: string
  readonly member: GroupMember
  readonly recording: Recording
  readonly cluster: LinkedCluster
  readonly topics: readonly string[]
  readonly instanceId: string | undefined
  readonly isOld: boolean
  /** True while it is disconnected from the brokers, or after its end. */
  isAway: boolean
  isDead: boolean
}

interface Manner {
  /** KIP-848; classic if absent. */
  readonly protocol?: 'consumer'
  /** Includes kills and disconnections longer than the session timeout. */
  readonly isRough: boolean
  readonly hasStatic: boolean
  readonly hasOld: boolean
}

class Simulation {
  readonly clock = new SimClock()
  readonly coordinator: ModelCoordinator | ModelConsumerCoordinator
  workers: Worker[] = []
  readonly chance: Chance
  readonly manner: Manner
  readonly log: string[] = []
  #names = 0
  #isOver = false
  #failure: Error | undefined

  constructor(chance: Chance, manner: Manner) {
    this.chance = chance
    this.manner = manner
    this.coordinator =
      manner.protocol === 'consumer'
        ? new ModelConsumerCoordinator(this.clock, TOPICS)
        : new ModelCoordinator(this.clock)
    void this.#tick()
  }

  async #tick(): Promise<void> {
    while (!this.#isOver) {
      await this.clock.sleep(100)
      this.coordinator.tick()
      try {
        this.check()
      } catch (error) {
        this.#failure ??= error as Error
      }
    }
  }

  get live(): Worker[] {
    return this.workers.filter(({ isDead }) => !isDead)
  }

  start(instanceId?: string, sameTopics?: readonly string[]): void {
    const topics = sameTopics ?? [...TOPICS.keys(), 'gone'].filter(() => !this.chance.once(3))
    // Old workers are never static.
    const isOld = this.manner.hasOld && instanceId === undefined && this.chance.once(2)
    const recording = new Recording()
    const name = `w${++this.#names}`
    const cluster = new LinkedCluster(name, this.coordinator, TOPICS, () => this.coordinator.node)
    recording.revoking = (_, signal) =>
      this.clock.sleep(this.chance.int(this.chance.once(10) ? 30_000 : 2_000), signal).catch(() => undefined)
    const options: GroupOptions = {
      cluster,
      groupId: 'g',
      topics: topics.length === 0 ? ['a'] : topics,
      callbacks: recording,
      clock: this.clock,
      random: () => this.chance.int(1_000) / 1_000,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 15_000,
      heartbeatMs: 1_000,
      newMemberId: () => name,
      onEvent: recording.onEvent,
      ...(isOld ? { assignors: [OLD] } : {}),
      ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    }
    const member =
      this.manner.protocol === 'consumer' ? new ConsumerProtocolMember(options) : new ClassicMember(options)
    member.start()
    this.workers.push({
      name,
      member,
      recording,
      cluster,
      topics: options.topics,
      instanceId,
      isOld,
      isAway: false,
      isDead: false,
    })
    this.log.push(`start ${name}${isOld ? ' (old)' : ''} ${instanceId ?? ''} ${options.topics.join()}`)
  }

  kill(worker: Worker): void {
    this.log.push(`kill ${worker.name}`)
    worker.isDead = true
    worker.isAway = true
    worker.cluster.reaches = () => false
    worker.cluster.cut()
    // Its object is disconnected from now on.
    void worker.member.stop()
  }

  async step(): Promise<void> {
    const { chance, live, manner } = this
    const worker = live.length === 0 ? undefined : chance.pick(live)
    const dice = chance.int(12)
    if (worker === undefined || (dice < 3 && live.length < 6)) {
      this.start(manner.hasStatic && chance.once(2) ? `i${this.#names}` : undefined)
    } else if (dice === 3) {
      this.log.push(`stop ${worker.name}`)
      void worker.member.stop({ forGood: chance.once(2) }).then(() => (worker.isDead = true))
    } else if (dice === 4) {
      this.log.push('move')
      this.coordinator.move()
    } else if (dice === 5 || dice === 6) {
      this.log.push(`cut ${worker.name}`)
      worker.cluster.cut()
    } else if (dice === 7 && manner.isRough) {
      this.kill(worker)
      if (worker.instanceId !== undefined) this.start(worker.instanceId, worker.topics)
    } else if (dice === 8 && manner.isRough) {
      this.log.push(`away ${worker.name}`)
      worker.isAway = true
      worker.cluster.reaches = () => false
      worker.cluster.cut()
      void this.clock.sleep(chance.int(25_000)).then(() => {
        if (worker.isDead) return
        worker.isAway = false
        worker.cluster.reaches = () => true
      })
    }
    await this.clock.advance(chance.int(3_000))
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Checks that no partition has two owners in one generation; in a gentle run, never at all. */
  check(): void {
    const owners = new Map<string, Worker>()
    for (const worker of this.live) {
      const { memberId, generation, state } = worker.member.status()
      if (state === 'left' || state === 'failed') continue
      const isCurrent = this.coordinator.has(memberId, generation)
      if (this.manner.isRough && !isCurrent) continue
      // An old leader assigns what members hand over at the same time, if the group was cooperative until it came.
      if (worker.recording.isRevoking && this.live.some((one) => one.isOld && one.member.status().isLeader))
        continue
      for (const key of worker.recording.owned.keys()) {
        const other = owners.get(key)
        if (other !== undefined) {
          assert.fail(
            `${key} is owned by ${other.name} and ${worker.name} in generation ${generation} of ${this.coordinator.protocolName}\n${this.log.join('\n')}`,
          )
        }
        owners.set(key, worker)
      }
    }
  }

  /** Waits until the group is stable: then every partition has an owner that subscribes to its topic. */
  async settle(): Promise<void> {
    for (const worker of this.live) {
      worker.isAway = false
      worker.cluster.reaches = () => true
      worker.recording.revoking = () => Promise.resolve()
    }
    // Fenced members have reported it and are not part of the group.
    await this.clock.advance(120_000)
    const there = this.live.filter(({ member }) => !['left', 'failed'].includes(member.status().state))
    const states = there.map(({ name, member }) => `${name} ${member.status().state}`)
    assert.ok(
      states.every((state) => state.endsWith('stable')),
      `${states.join(', ')}\n${this.log.join('\n')}`,
    )
    const owned = there.flatMap(({ recording }) => [...recording.owned.keys()]).sort()
    const read = new Set(there.flatMap(({ topics }) => topics))
    const expected = [...TOPICS]
      .filter(([topic]) => read.has(topic))
      .flatMap(([topic, count]) => Array.from({ length: count }, (_, i) => `${topic}/${i}`))
    assert.deepEqual(owned, expected.sort(), this.log.join('\n'))
    for (const { topics, recording, member } of there) {
      for (const { topic } of recording.owned.values()) assert.ok(topics.includes(topic))
      assert.deepEqual(
        [...recording.owned.keys()].sort(),
        member
          .owned()
          .map(({ topic, partition }) => `${topic}/${partition}`)
          .sort(),
      )
    }
  }

  /** Stops all members; they may leave no timers behind. */
  async end(): Promise<void> {
    const stops = this.workers.map(({ member }) => member.stop())
    await this.clock.advance(20_000)
    await Promise.all(stops)
    this.#isOver = true
    await this.clock.advance(1_000)
    assert.equal(this.clock.sleepers, 0, 'timers are left')
    for (const { recording } of this.workers) assert.equal(recording.owned.size, 0)
  }
}

async function simulate(seed: number, manner: Manner): Promise<Simulation> {
  const simulation = new Simulation(chanceBy(seed), manner)
  simulation.start()
  for (let step = 0; step < STEPS; step++) await simulation.step()
  await simulation.settle()
  await simulation.end()
  return simulation
}

const MANNERS: Readonly<Record<string, Manner>> = {
  'gentle: joins, leaves, cut connections, moves of the coordinator': {
    isRough: false,
    hasStatic: false,
    hasOld: false,
  },
  'gentle, with static members and old workers': { isRough: false, hasStatic: true, hasOld: true },
  'rough: also kills, and workers that are away for longer than their sessions': {
    isRough: true,
    hasStatic: false,
    hasOld: false,
  },
  'rough, with static members': { isRough: true, hasStatic: true, hasOld: false },
  'gentle, with KIP-848': { protocol: 'consumer', isRough: false, hasStatic: false, hasOld: false },
  'rough, with KIP-848 and static members': {
    protocol: 'consumer',
    isRough: true,
    hasStatic: true,
    hasOld: false,
  },
  'rough, with old workers': { isRough: true, hasStatic: true, hasOld: true },
}

for (const [name, manner] of Object.entries(MANNERS)) {
  test(`simulation, ${name}`, async (t) => {
    const { seed } = chanceOf(t)
    for (let run = 0; run < RUNS; run++) {
      try {
        await simulate(seed + run, manner)
      } catch (error) {
        t.diagnostic(`fails with seed ${seed + run}`)
        throw error
      }
    }
  })
}
