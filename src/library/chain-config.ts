import { createHash } from 'node:crypto'
import { KAFKA_OPTIONS } from '../../config/kafka/options.ts'
import { loadConfig } from '../../config/load/load.ts'
import type { Config, TopicConfig } from '../../config/types.ts'
import type { DeadLetterSink } from '../../operators/commit-delta.ts'
import { PipelineError } from '../core/errors.ts'
import { storeUriFault } from '../core/uri/store-uri.ts'
import type { Store } from '../storage/store.ts'
import type { ChainTable, KafkaToDeltaOptions } from './chain-options.ts'

/** Holds the configuration of a chain, and what a user's program provides itself. */
export interface ChainConfig {
  readonly config: Config
  readonly topic: TopicConfig
  /** The store of the table, if the user's program has opened it. */
  readonly store: Store | undefined
  /** The sink of dead letters, if it is one of the user's program. */
  readonly deadLetters: DeadLetterSink | undefined
}

/**
 * Returns the configuration of a chain. Defaults and checks are those of the service's configuration.
 * @throws KD_CONFIG_INVALID with every fault at once
 */
export function chainConfigOf(options: KafkaToDeltaOptions<object>): ChainConfig {
  const { topic: name, topicOptions = {}, kafka, storage, schemaRegistry } = options
  const groupId = options.groupId ?? kafka?.groupId
  const { store, ...table } = tableOf(options.table)
  const uri = store === undefined ? table.uri : uriOf(store, name)
  const sink = isSink(options.deadLetters) ? options.deadLetters : undefined
  const topic = {
    ...topicOptions,
    topic: name,
    // The offsets in a table are found again wherever the table is called from.
    ...(groupId === undefined ? { appId: `${KAFKA_OPTIONS.groupId.default}-${name}` } : {}),
    ...pick(options, ['appId', 'startFrom', 'creditBytes']),
    flush: { ...topicOptions.flush, ...options.flush },
    deadLetters: { ...topicOptions.deadLetters, ...deadLettersOf(options.deadLetters) },
    table: {
      ...topicOptions.table,
      ...pick(options, ['schemaEvolution']),
      ...table,
      uri,
    },
  }
  const config = loadConfig({
    object: withoutUndefined({
      kafka: { ...kafka, ...pick(options, ['brokers']), groupId: groupId ?? groupOf(name, uri) },
      storage,
      schemaRegistry,
      topics: { [ENTRY]: topic },
    }),
    needsTopic: true,
  })
  const loaded = config.topics[ENTRY]
  if (loaded === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'topicOptions: a chain reads one topic, named by topic')
  return { config, topic: loaded, store, deadLetters: sink }
}

/** Returns the group of a chain that names none: chains that write a topic into different tables do not share it. */
function groupOf(topic: string, uri = ''): string {
  const hash = createHash('sha256').update(`${topic}\n${uri}`).digest('hex')
  return `${KAFKA_OPTIONS.groupId.default}-${hash.slice(0, 12)}`
}

/** Key of the only topic of the configuration; it is not part of any name. */
const ENTRY = 'chain'

function tableOf(table: KafkaToDeltaOptions['table']): ChainTable {
  if (typeof table === 'string') return { uri: table }
  return isStore(table) ? { store: table } : table
}

function isStore(table: Store | ChainTable): table is Store {
  return 'putIfAbsent' in table
}

/** Returns the location of a store, or a name if it has another form than locations of the configuration. */
function uriOf({ uri }: Store, topic: string): string {
  return storeUriFault(uri) === undefined ? uri : `memory:${topic}`
}

function isSink(given: KafkaToDeltaOptions['deadLetters']): given is DeadLetterSink {
  return typeof given === 'object' && 'write' in given
}

function deadLettersOf(given: KafkaToDeltaOptions['deadLetters']): object {
  if (typeof given === 'string') return { topic: given }
  return isSink(given) ? { mode: 'dlq', to: 'topic' } : (given ?? {})
}

function pick<T extends object, K extends keyof T>(object: T, names: readonly K[]): Partial<Pick<T, K>> {
  const found = names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]])
  return Object.fromEntries(found) as Partial<Pick<T, K>>
}

/** Returns a copy without undefined values, which would count as values of another type. */
function withoutUndefined(object: object): object {
  return JSON.parse(JSON.stringify(object)) as object
}
