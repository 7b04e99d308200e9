import type { FormatValues, OptionTree } from './option.ts'
import type { Simplify } from './simplify.ts'

/**
 * Holds the values of options in a loaded configuration: a section as an object, an option as its format says,
 * and an option that may stay unset as an optional property. `Steps` names the steps that the values have passed.
 */
export type OptionValues<Tree extends OptionTree, Steps = ResolutionStep> = Simplify<
  {
    readonly [Name in keyof Pick<Tree, SetNames<Tree, Steps>>]: NodeValue<Tree[Name], Steps>
  } & {
    readonly [Name in keyof Omit<Tree, SetNames<Tree, Steps>>]?: NodeValue<Tree[Name], Steps>
  }
>

/**
 * Names a step between the validation of options and the configuration: `computed` fills in computed
 * defaults, `enabled` removes the sections whose enabling option is unset.
 */
export type ResolutionStep = 'computed' | 'enabled'

/** Holds the values of options that are validated one by one and have passed no step yet. */
export type ResolvedValues<Tree extends OptionTree> = OptionValues<Tree, never>

/** Names the nodes of a tree that always have a value. */
export type SetNames<Tree, Steps> = {
  [Name in keyof Tree]: IsSet<Tree[Name], Steps> extends true ? Name : never
}[keyof Tree]

/** Tells whether an option or a group always has a value. */
export type IsSet<Node, Steps> = Node extends { readonly default: infer Default }
  ? Default extends null
    ? IsSetWithoutDefault<Node, Steps>
    : true
  : 'enabled' extends Steps
    ? HasEnablingOption<Node> extends true
      ? false
      : true
    : true

type IsSetWithoutDefault<Node, Steps> = Node extends { readonly required: true }
  ? true
  : Node extends { readonly computed: object }
    ? 'computed' extends Steps
      ? true
      : false
    : Node extends { readonly enablesSection: true }
      ? 'enabled' extends Steps
        ? true
        : false
      : false

type HasEnablingOption<Section> = true extends {
  [Name in keyof Section]: Section[Name] extends { readonly enablesSection: true } ? true : false
}[keyof Section]
  ? true
  : false

/** Selects the type of the value of an option or of a group of options. */
export type NodeValue<Node, Steps> = Node extends { readonly default: unknown }
  ? OptionValue<Node>
  : Node extends OptionTree
    ? OptionValues<Node, Steps>
    : never

/** Selects the type of the value of one option. */
export type OptionValue<Node> = Node extends { readonly items: readonly (infer Item)[] }
  ? readonly Item[]
  : Node extends { readonly format: infer Format }
    ? Format extends keyof FormatValues
      ? FormatValues[Format]
      : Format extends readonly (infer Word)[]
        ? Word
        : never
    : never
