import type { Clock } from '../../core/clock.ts'
import { NO_LEDGER, type Ledger } from '../ledger.ts'
import type { EmbeddedTopics } from '../topics.ts'
import { offsetFactOf, offsetOfFact, type StoredOffset } from '../transactions/stored-offset.ts'
import { ClassicGroup } from './classic-group.ts'
import { ConsumerGroup } from './consumer-group.ts'

/** Groups that the broker keeps. */
const GROUPS_MAX = 10_000

/** Keeps the groups of the embedded broker and the offsets that they committed. */
export class GroupCoordinator {
  readonly #clock: Clock
  readonly #topics: EmbeddedTopics
  readonly #groups = new Map<string, ClassicGroup | ConsumerGroup>()
  readonly #offsets = new Map<string, Map<string, StoredOffset>>()

  readonly #ledger: Ledger

  constructor(clock: Clock, topics: EmbeddedTopics, ledger: Ledger = NO_LEDGER) {
    this.#clock = clock
    this.#topics = topics
    this.#ledger = ledger
    for (const [[groupId = '', key = ''], fact] of ledger.facts('offset'))
      this.#keep(groupId, new Map([[key, offsetOfFact(fact)]]))
    topics.onChange(() => {
      for (const group of this.#groups.values()) if (group instanceof ConsumerGroup) group.reassign()
    })
  }

  /** Returns the ids of all groups with members or offsets. */
  ids(): readonly string[] {
    return [...new Set([...this.#groups.keys(), ...this.#offsets.keys()])]
  }

  find(groupId: string): ClassicGroup | ConsumerGroup | undefined {
    return this.#groups.get(groupId)
  }

  /** Returns the classic group of this id, a new one if it has no members; `undefined` while it is of another kind. */
  classic(groupId: string): ClassicGroup | undefined {
    const found = this.#groups.get(groupId)
    if (found instanceof ClassicGroup) return found
    return found === undefined || found.size === 0
      ? this.#add(groupId, new ClassicGroup(this.#clock))
      : undefined
  }

  /** Returns the group of this id with the consumer protocol; `undefined` while it is of another kind. */
  consumer(groupId: string): ConsumerGroup | undefined {
    const found = this.#groups.get(groupId)
    if (found instanceof ConsumerGroup) return found
    return found === undefined || found.size === 0
      ? this.#add(groupId, new ConsumerGroup(this.#clock, this.#topics))
      : undefined
  }

  /** Keeps offsets of a group, by `topic/partition`. */
  commit(groupId: string, offsets: ReadonlyMap<string, StoredOffset>): void {
    this.#ledger.set([...offsets].map(([key, offset]) => [['offset', groupId, key], offsetFactOf(offset)]))
    this.#keep(groupId, offsets)
  }

  #keep(groupId: string, offsets: ReadonlyMap<string, StoredOffset>): void {
    const known = this.#offsets.get(groupId) ?? new Map<string, StoredOffset>()
    for (const [key, offset] of offsets) known.set(key, offset)
    this.#offsets.set(groupId, known)
  }

  /** Returns the offsets of a group, by `topic/partition`. */
  offsetsOf(groupId: string): ReadonlyMap<string, StoredOffset> {
    return this.#offsets.get(groupId) ?? new Map()
  }

  /** Deletes a group without members, with its offsets; returns whether there was one. */
  delete(groupId: string): boolean {
    const keys = [...this.offsetsOf(groupId).keys()]
    this.#ledger.set(keys.map((key) => [['offset', groupId, key], undefined]))
    const had = this.#groups.delete(groupId)
    return this.#offsets.delete(groupId) || had
  }

  /** Forgets the offsets of a topic that was deleted. */
  forgetTopic(name: string): void {
    for (const [groupId, offsets] of this.#offsets) {
      const keys = [...offsets.keys()].filter((key) => key.slice(0, key.lastIndexOf('/')) === name)
      this.#ledger.set(keys.map((key) => [['offset', groupId, key], undefined]))
      for (const key of keys) offsets.delete(key)
    }
  }

  /** Applies the timeouts of all members. */
  tick(): void {
    for (const group of this.#groups.values()) group.tick()
  }

  /** Removes the members of a group, or of all groups, as if their sessions had timed out. */
  expireMembers(groupId?: string): void {
    for (const [id, group] of this.#groups) if (groupId === undefined || groupId === id) group.expireAll()
  }

  #add<G extends ClassicGroup | ConsumerGroup>(groupId: string, group: G): G {
    if (this.#groups.size >= GROUPS_MAX) this.#forgetEmpty()
    this.#groups.set(groupId, group)
    return group
  }

  #forgetEmpty(): void {
    for (const [id, group] of this.#groups) if (group.size === 0) this.#groups.delete(id)
  }
}
