/** One knob: what it means, in which unit, what it is when nobody says, and where it may be said. */
export interface Option {
  /** One or two sentences for a user. */
  readonly doc: string
  /** Name of a format in `config/load/formats.ts`, or the list of allowed values. */
  readonly format: FormatName | readonly string[]
  readonly unit?: 'bytes' | 'milliseconds' | 'hours' | 'days' | 'records' | 'rows' | 'partitions' | 'commits'
  /** `null` where the option may stay unset, must be given, or is computed. */
  readonly default: unknown
  readonly env?: string
  /** May stay unset. */
  readonly nullable?: true
  /** Must be given: there is no sensible default. */
  readonly required?: true
  /** Never shown: neither in messages nor in logs. */
  readonly sensitive?: true
  /** A relative path counts from the folder of the file that names it. */
  readonly path?: true
  /** `{topic}` and `{name}` in it stand for the Kafka topic and the entry's name. */
  readonly template?: true
  /** A default that depends on other options. */
  readonly computed?: Computed
}

/** A default that follows from other options: `text` for the documentation, `of` for the loader. */
export interface Computed {
  readonly text: string
  of(facts: TopicFacts): string | number
}

/** What a topic's computed defaults may depend on. */
export interface TopicFacts {
  /** The topic's key in the `topics` map. */
  readonly name: string
  /** The Kafka topic. */
  readonly topic: string
  readonly groupId: string
  readonly flushBytes: number
}

/** The formats of `config/load/formats.ts`. */
export type FormatName =
  'share' | 'text' | 'text-list' | 'whole-number' | 'flag' | 'map' | 'transform-map' | 'rule-list'

/** Whether a format is an object with keys of the user's own, which may hold dots. */
export function isMapFormat(format: Option['format']): boolean {
  return format === 'map' || format === 'transform-map'
}

/** Options by name, in sections. */
export interface OptionTree {
  readonly [name: string]: Option | OptionTree
}

/** Whether a node of the schema is an option and not a section: options have a `default`. */
export function isOption(node: Option | OptionTree): node is Option {
  return 'default' in node
}

/** Every option below `tree` with its dotted key, in the order of the schema. */
export function optionsOf(
  tree: OptionTree,
  prefix = '',
): readonly { readonly key: string; readonly option: Option }[] {
  return Object.entries(tree).flatMap(([name, node]) =>
    isOption(node) ? [{ key: prefix + name, option: node }] : optionsOf(node, `${prefix}${name}.`),
  )
}
