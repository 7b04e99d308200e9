import type { TopicPartition } from '../partitions.ts'
import { compareText } from './assignor.ts'

/**
 * Maximum number of search steps, about a second of CPU time; in larger groups the result may be slightly unbalanced.
 */
const STEPS_MAX = 20_000_000

/** Partitions of a member by topic. */
type Holdings = Map<string, number[]>

/** A step of the search: a partition of `topic` can move from the member `from` to the reached member. */
interface Step {
  readonly from: number
  readonly topic: string
}

/**
 * Balances partitions among members, which are numbered from 0. Owners keep their partitions unless loads differ by
 * more than one; then partitions move along the shortest chain of members from a loaded one to a less loaded one. If
 * no such chain is left, no other assignment is more balanced.
 */
export class StickyBalancer {
  readonly #counts: ReadonlyMap<string, number>
  readonly #subscribers = new Map<string, number[]>()
  readonly #loads: number[]
  /** Partitions that may move now; those at the end of a list move first. */
  readonly #movable: Holdings[]
  readonly #kept: Holdings[]
  #steps = 0

  constructor(topicsOfMembers: readonly (readonly string[])[], partitionCounts: ReadonlyMap<string, number>) {
    this.#counts = partitionCounts
    for (const [member, topics] of topicsOfMembers.entries()) {
      for (const topic of new Set(topics)) {
        const subscribers = this.#subscribers.get(topic)
        if (subscribers === undefined) this.#subscribers.set(topic, [member])
        else subscribers.push(member)
      }
    }
    this.#loads = topicsOfMembers.map(() => 0)
    this.#movable = topicsOfMembers.map(() => new Map<string, number[]>())
    this.#kept = topicsOfMembers.map(() => new Map<string, number[]>())
  }

  /** Returns the partitions of each member. */
  assign(ownerOf: (partition: TopicPartition) => number | undefined): readonly (readonly TopicPartition[])[] {
    const free = this.#keep(ownerOf)
    for (const [topic, partitions] of free) {
      for (const partition of partitions) this.#add(this.#lightest(topic), topic, partition, this.#movable)
    }
    // First moves only unowned partitions: if they suffice, no owned partition moves, and a second rebalance moves
    // nothing.
    this.#balance()
    this.#makeMovable()
    this.#balance()
    return this.#movable.map((topics) =>
      [...topics].flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition }))),
    )
  }

  /**
   * Assigns owned partitions to their owners. Returns the others by topic, topics with the fewest subscribers first.
   */
  #keep(ownerOf: (partition: TopicPartition) => number | undefined): [string, number[]][] {
    const free: [string, number[]][] = []
    const sorted = [...this.#subscribers].sort(
      ([topicA, a], [topicB, b]) => a.length - b.length || compareText(topicA, topicB),
    )
    for (const [topic, subscribers] of sorted) {
      const subscribing = new Set(subscribers)
      const left: number[] = []
      for (let partition = 0; partition < (this.#counts.get(topic) ?? 0); partition++) {
        const owner = ownerOf({ topic, partition })
        if (owner !== undefined && subscribing.has(owner)) this.#add(owner, topic, partition, this.#kept)
        else left.push(partition)
      }
      free.push([topic, left])
    }
    return free
  }

  #add(member: number, topic: string, partition: number, holdings: readonly Holdings[]): void {
    const topics = holdings[member] as Holdings
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
    this.#loads[member] = this.#load(member) + 1
  }

  /** Returns the subscriber with the lowest load; among equals, the one with the fewest partitions of this topic. */
  #lightest(topic: string): number {
    const [first = 0, ...others] = this.#subscribers.get(topic) ?? []
    const ofTopic = (member: number): number =>
      (this.#kept[member]?.get(topic)?.length ?? 0) + (this.#movable[member]?.get(topic)?.length ?? 0)
    return others.reduce((lightest, member) => {
      const difference = this.#load(member) - this.#load(lightest)
      return difference < 0 || (difference === 0 && ofTopic(member) < ofTopic(lightest)) ? member : lightest
    }, first)
  }

  #load(member: number): number {
    return this.#loads[member] ?? 0
  }

  #makeMovable(): void {
    for (const [member, topics] of this.#kept.entries()) {
      const movable = this.#movable[member] as Holdings
      for (const [topic, partitions] of topics) {
        movable.set(topic, [...partitions, ...(movable.get(topic) ?? [])])
      }
    }
  }

  /** Moves partitions until no move improves the balance. */
  #balance(): void {
    let moved = true
    while (moved && this.#steps < STEPS_MAX) {
      moved = false
      const stuck = new Set<number>()
      for (;;) {
        const heavy = this.#heaviest(stuck)
        if (heavy === undefined || this.#steps >= STEPS_MAX) break
        if (this.#relieve(heavy)) moved = true
        else stuck.add(heavy)
      }
    }
  }

  /** Returns the member with the highest load that is not stuck, if another member has at least two partitions less. */
  #heaviest(stuck: ReadonlySet<number>): number | undefined {
    this.#steps += this.#loads.length
    let heaviest: number | undefined
    let least = Infinity
    for (const [member, load] of this.#loads.entries()) {
      least = Math.min(least, load)
      if (!stuck.has(member) && (heaviest === undefined || load > this.#load(heaviest))) heaviest = member
    }
    return heaviest !== undefined && this.#load(heaviest) - least >= 2 ? heaviest : undefined
  }

  /**
   * Moves one partition along each step of the shortest chain from `heavy` to a member with at least two partitions
   * less.
   */
  #relieve(heavy: number): boolean {
    const reachedBy = new Map<number, Step>()
    const seenTopics = new Set<string>()
    let level = [heavy]
    while (level.length > 0) {
      const next = level.flatMap((from) => this.#reach(from, heavy, reachedBy, seenTopics))
      const [first, ...others] = next
      if (first === undefined) return false
      const light = others.reduce((a, b) => (this.#load(b) < this.#load(a) ? b : a), first)
      if (this.#load(heavy) - this.#load(light) >= 2) {
        this.#shift(light, heavy, reachedBy)
        return true
      }
      level = next
    }
    return false
  }

  /** Returns the members not reached before that can take a partition of `from`. */
  #reach(from: number, heavy: number, reachedBy: Map<number, Step>, seenTopics: Set<string>): number[] {
    const reached: number[] = []
    const topics = [...(this.#movable[from] as Holdings)].sort(([, a], [, b]) => b.length - a.length)
    for (const [topic, partitions] of topics) {
      this.#steps++
      if (partitions.length === 0 || seenTopics.has(topic)) continue
      seenTopics.add(topic)
      for (const member of this.#subscribers.get(topic) ?? []) {
        this.#steps++
        if (member === heavy || reachedBy.has(member)) continue
        reachedBy.set(member, { from, topic })
        reached.push(member)
      }
    }
    return reached
  }

  #shift(light: number, heavy: number, reachedBy: ReadonlyMap<number, Step>): void {
    let to = light
    while (to !== heavy) {
      const { from, topic } = reachedBy.get(to) as Step
      const partition = this.#movable[from]?.get(topic)?.pop()
      if (partition === undefined)
        throw new Error('Broken invariant: a member in a chain of moves has no partition to move')
      this.#loads[from] = this.#load(from) - 1
      this.#add(to, topic, partition, this.#movable)
      to = from
    }
  }
}
