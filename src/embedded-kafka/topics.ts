import { randomUUID } from 'node:crypto'
import { NO_LEDGER, type Ledger } from './ledger.ts'
import type { LogStore } from './log/log-store.ts'
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

/** Says where topics and their records are kept beyond the end of the process. */
export interface TopicStore {
  readonly ledger: Ledger
  storeOf(topicId: string, partition: number): LogStore | undefined
  removeTopic(topicId: string): void
}

const IN_MEMORY: TopicStore = {
  ledger: NO_LEDGER,
  storeOf: () => undefined,
  removeTopic: () => undefined,
}

interface TopicFact {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** Keeps the topics of the embedded broker by name and by id. */
export class EmbeddedTopics {
  readonly #byName = new Map<string, EmbeddedTopic>()
  readonly #byId = new Map<string, EmbeddedTopic>()
  readonly #listeners = new Set<() => void>()
  readonly #store: TopicStore

  constructor(store: TopicStore = IN_MEMORY) {
    this.#store = store
    for (const [[id], value] of store.ledger.facts('topic')) {
      const { name, partitions, configs } = value as TopicFact
      if (id !== undefined) this.#add(name, id, partitions, new Map(Object.entries(configs)))
    }
  }

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
    const id = randomUUID().replaceAll('-', '')
    this.#keep({ id, name, configs }, partitions)
    const topic = this.#add(name, id, partitions, configs)
    this.#wake()
    return topic
  }

  /** Adds partitions up to `count`. */
  extend(topic: EmbeddedTopic, count: number): void {
    const { id, partitions } = topic
    this.#keep(topic, count)
    while (partitions.length < count)
      partitions.push(new PartitionLog(this.#store.storeOf(id, partitions.length)))
    this.#wake()
  }

  delete(topic: EmbeddedTopic): void {
    this.#store.ledger.set([[['topic', topic.id], undefined]])
    this.#store.removeTopic(topic.id)
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.id)
    this.#wake()
  }

  /** Calls `changed` after topics or partitions were created or deleted. */
  onChange(changed: () => void): void {
    this.#listeners.add(changed)
  }

  #keep({ id, name, configs }: Pick<EmbeddedTopic, 'id' | 'name' | 'configs'>, partitions: number): void {
    const fact: TopicFact = { name, partitions, configs: Object.fromEntries(configs) }
    this.#store.ledger.set([[['topic', id], fact]])
  }

  #add(name: string, id: string, count: number, configs: ReadonlyMap<string, string>): EmbeddedTopic {
    const partitions = Array.from(
      { length: count },
      (_, partition) => new PartitionLog(this.#store.storeOf(id, partition)),
    )
    const topic: EmbeddedTopic = { name, id, partitions, configs }
    this.#byName.set(name, topic)
    this.#byId.set(id, topic)
    return topic
  }

  #wake(): void {
    for (const changed of this.#listeners) changed()
  }
}
