import type { OptionValues } from './option-values.ts'
import type { SERVICE_OPTIONS, TOPIC_OPTIONS } from './schema.ts'
import type { PatternConfig } from './topics/patterns.ts'
import type { TopicSelector } from './topics/options.ts'

/**
 * Holds the configuration after loading: validated, complete and deeply frozen. Its options are those of
 * `config/schema.ts`.
 */
export interface Config extends OptionValues<typeof SERVICE_OPTIONS> {
  /** Topics by the name of their entry, in the order of the files; topics of a list by `<entry>/<topic>`. */
  readonly topics: Readonly<Record<string, TopicConfig>>
  /** Entries that match topics by a pattern, by name. */
  readonly patterns: Readonly<Record<string, PatternConfig>>
}

/** Configures one topic and its table. */
export interface TopicConfig extends Omit<OptionValues<typeof TOPIC_OPTIONS>, TopicSelector> {}

/** Configures the HTTP server; without `port` it is not started. */
export type HttpConfig = Config['http']

/** Configures the object stores. */
export type StorageConfig = Config['storage']

/** Configures the table of a topic. */
export type TableConfig = TopicConfig['table']

/** Configures compaction: it runs only if `everyCommits` or `everyMs` is set. */
export type OptimizeConfig = TableConfig['optimize']

/** Configures vacuum: it runs only if `everyMs` is set. */
export type VacuumConfig = TableConfig['vacuum']
