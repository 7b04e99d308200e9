import { randomUUID } from 'node:crypto'
import { PartitionLog } from './log/partition-log.ts'

/** Describes a topic of the embedded broker. */
export interface EmbeddedTopic {
  readonly name: string
  /** 32 hex digits. */
  readonly id: string
  readonly partitions: PartitionLog[]
  /** Options that were set when it was created. */
  readonly configs: ReadonlyMap<string, string>
}

/** Names the reason why a topic is not created, as an error of the protocol. */
export type CreateFault = 'TOPIC_ALREADY_EXISTS' | 'INVALID_TOPIC_EXCEPTION' | 'INVALID_PARTITIONS'

const NAME = /^[a-zA-Z0-9._-]{1,249}$/
/** Partitions of a topic. */
const PARTITIONS_MAX = 10_000

/** Keeps the topics of the embedded broker by name and by id. */
export class EmbeddedTopics {
  readonly #byName = new Map<string, EmbeddedTopic>()
  readonly #byId = new Map<string, EmbeddedTopic>()
  readonly #listeners = new Set<() => void>()

  /** Bytes of all records. */
  get bytes(): number {
    let bytes = 0
    for (const { partitions } of this.#byName.values()) for (const log of partitions) bytes += log.bytes
    return bytes
  }

  all(): readonly EmbeddedTopic[] {
    return [...this.#byName.values()]
  }

  named(name: string): EmbeddedTopic | undefined {
    return this.#byName.get(name)
  }

  /** Finds a topic by its id, or by its name when a request has no ids. */
  find({ topicId, name }: { readonly topicId?: string; readonly name: string }): EmbeddedTopic | undefined {
    return name !== '' ? this.#byName.get(name) : this.#byId.get(topicId ?? '')
  }

  /** Returns why such a topic cannot be created; `undefined` when it can. */
  faultOf(name: string, partitions: number): CreateFault | undefined {
    if (this.#byName.has(name)) return 'TOPIC_ALREADY_EXISTS'
    if (!NAME.test(name) || name === '.' || name === '..') return 'INVALID_TOPIC_EXCEPTION'
    return partitions < 1 || partitions > PARTITIONS_MAX ? 'INVALID_PARTITIONS' : undefined
  }

  /** Creates a topic for which `faultOf` has no fault. */
  create(name: string, partitions: number, configs: ReadonlyMap<string, string> = new Map()): EmbeddedTopic {
    const topic: EmbeddedTopic = {
      name,
      id: randomUUID().replaceAll('-', ''),
      partitions: Array.from({ length: partitions }, () => new PartitionLog()),
      configs,
    }
    this.#byName.set(name, topic)
    this.#byId.set(topic.id, topic)
    this.#wake()
    return topic
  }

  /** Adds partitions up to `count`. */
  extend({ partitions }: EmbeddedTopic, count: number): void {
    while (partitions.length < count) partitions.push(new PartitionLog())
    this.#wake()
  }

  delete(topic: EmbeddedTopic): void {
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.id)
    this.#wake()
  }

  /** Calls `changed` after topics or partitions were created or deleted. */
  onChange(changed: () => void): void {
    this.#listeners.add(changed)
  }

  #wake(): void {
    for (const changed of this.#listeners) changed()
  }
}
