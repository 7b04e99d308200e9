import type { RULE_FIELDS, TextFields, TRANSFORM_FIELDS } from './text-fields.ts'

/** Describes one configuration option: its meaning, format, unit, default and environment variable. */
export type Option = OptionByFormat[OptionFormat] | EnumOption

/** Describes an option that has one of the formats of `config/resolve/formats.ts`. */
export type OptionByFormat = {
  readonly [Format in OptionFormat]: OptionDescription & {
    readonly format: Format
    /** Lists the texts that the elements of a list may be. */
    readonly items?: Format extends 'text-list' ? readonly string[] : never
  } & DefaultOf<
      FormatValues[Format],
      Format extends MapFormat | 'rule-list' ? readonly [] : FormatValues[Format]
    >
}

/** Describes an option that is one of several words. */
export type EnumOption = OptionDescription & {
  readonly format: readonly string[]
  readonly items?: never
} & DefaultOf<string, string>

/** Describes what an option of any format has. */
interface OptionDescription {
  /** User documentation in a few sentences; `docs/configuration.md` is generated from it. */
  readonly doc: string
  readonly unit?: 'bytes' | 'milliseconds' | 'hours' | 'days' | 'records' | 'rows' | 'partitions' | 'commits'
  readonly env?: string
  /** Keeps the value out of messages and logs. */
  readonly sensitive?: true
  /** Resolves a relative path against the folder of the configuration file that contains it. */
  readonly path?: true
  /** Replaces `{topic}` by the Kafka topic and `{name}` by the entry's key in `topics`. */
  readonly template?: true
}

/** Describes the default of an option. An option without one is nullable, required or computed. */
type DefaultOf<Value, Default> =
  | {
      readonly default: Default
      readonly nullable?: never
      readonly required?: never
      readonly computed?: never
      readonly enablesSection?: never
    }
  | {
      readonly default: null
      /** Allows the option to stay unset. */
      readonly nullable: true
      readonly required?: never
      readonly computed?: never
      /** Leaves the section that contains the option out of the configuration if the option is unset. */
      readonly enablesSection?: true
    }
  | {
      readonly default: null
      readonly nullable?: never
      /** Requires a value: the option has no sensible default. */
      readonly required: true
      readonly computed?: never
      readonly enablesSection?: never
    }
  | {
      readonly default: null
      readonly nullable?: never
      readonly required?: never
      /** Default derived from other options. */
      readonly computed: ComputedDefault<Value>
      readonly enablesSection?: never
    }

/** Describes a default derived from other options: `description` for the documentation, `compute` for the loader. */
interface ComputedDefault<Value> {
  readonly description: string
  compute(facts: ComputedDefaultInput): Value
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

/** Holds the type of the values of each format of `config/resolve/formats.ts`. */
export interface FormatValues {
  readonly text: string
  readonly 'text-list': readonly string[]
  readonly 'whole-number': number
  readonly 'thread-count': number
  readonly share: number
  readonly flag: boolean
  readonly map: Readonly<Record<string, string>>
  readonly 'transform-map': Readonly<Record<string, TextFields<typeof TRANSFORM_FIELDS>>>
  readonly 'rule-list': readonly TextFields<typeof RULE_FIELDS>[]
}

/** Names a format of `config/resolve/formats.ts`. */
export type OptionFormat = keyof FormatValues

/** Names a format of objects with user-defined keys. */
type MapFormat = 'map' | 'transform-map'

/** Returns whether a format is an object with user-defined keys, which may contain dots. */
export function isMapFormat(format: Option['format']): format is MapFormat {
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
