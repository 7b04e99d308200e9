/** Describes one configuration option: its meaning, format, unit, default and environment variable. */
export interface Option {
  /** User documentation in a few sentences; `docs/configuration.md` is generated from it. */
  readonly doc: string
  /** Name of a format in `config/resolve/formats.ts`, or the list of allowed values. */
  readonly format: OptionFormat | readonly string[]
  readonly unit?: 'bytes' | 'milliseconds' | 'hours' | 'days' | 'records' | 'rows' | 'partitions' | 'commits'
  /** Default value; `null` where the option may stay unset, is required, or has a computed default. */
  readonly default: unknown
  readonly env?: string
  /** Allows the option to stay unset. */
  readonly nullable?: true
  /** Requires a value: the option has no sensible default. */
  readonly required?: true
  /** Keeps the value out of messages and logs. */
  readonly sensitive?: true
  /** Resolves a relative path against the folder of the configuration file that contains it. */
  readonly path?: true
  /** Replaces `{topic}` by the Kafka topic and `{name}` by the entry's key in `topics`. */
  readonly template?: true
  /** Default derived from other options. */
  readonly computed?: ComputedDefault
}

/** Describes a default derived from other options: `description` for the documentation, `compute` for the loader. */
interface ComputedDefault {
  readonly description: string
  compute(facts: ComputedDefaultInput): string | number
}

/** Holds the values that computed defaults of a topic are derived from. */
export interface ComputedDefaultInput {
  /** Key of the entry in `topics`. */
  readonly name: string
  /** The Kafka topic. */
  readonly topic: string
  readonly groupId: string
  readonly flushBytes: number
}

/** Names a format of `config/resolve/formats.ts`. */
export type OptionFormat =
  'share' | 'text' | 'text-list' | 'whole-number' | 'flag' | 'map' | 'transform-map' | 'rule-list'

/** Returns whether a format is an object with user-defined keys, which may contain dots. */
export function isMapFormat(format: Option['format']): boolean {
  return format === 'map' || format === 'transform-map'
}

/** Describes options by name, grouped in sections. */
export interface OptionTree {
  readonly [name: string]: Option | OptionTree
}

/** Returns whether a node of the schema is an option rather than a section: only options have a `default`. */
export function isOption(node: Option | OptionTree): node is Option {
  return 'default' in node
}

/** Returns every option below `tree` with its dotted key, in the order of the schema. */
export function optionsOf(
  tree: OptionTree,
  prefix = '',
): readonly { readonly key: string; readonly option: Option }[] {
  return Object.entries(tree).flatMap(([name, node]) =>
    isOption(node) ? [{ key: prefix + name, option: node }] : optionsOf(node, `${prefix}${name}.`),
  )
}
