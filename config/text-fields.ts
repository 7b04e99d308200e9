import type { Simplify } from './simplify.ts'

/** Describes an object whose fields are texts, by name: those that it must have, and those that it may have. */
export type TextFieldTable = Readonly<Record<string, 'needed' | 'optional'>>

/** Describes an entry of `transforms`: a field that is computed. */
export const TRANSFORM_FIELDS = {
  /** JMESPath expression, or a metadata field `kafka.*`. */
  expr: 'needed',
  /** Type of its column: a primitive type of Delta. */
  type: 'optional',
} as const satisfies TextFieldTable

/** Describes an element of `rules`: a rule that messages must not violate. */
export const RULE_FIELDS = {
  name: 'needed',
  /** Expression that is true for a message that violates the rule. */
  when: 'needed',
  error: 'needed',
} as const satisfies TextFieldTable

/** Holds the texts of an object that a table describes. */
export type TextFields<Table extends TextFieldTable> = Simplify<
  { readonly [Name in keyof Pick<Table, NamesOf<Table, 'needed'>>]: string } & {
    readonly [Name in keyof Pick<Table, NamesOf<Table, 'optional'>>]?: string
  }
>

type NamesOf<Table extends TextFieldTable, Kind> = {
  [Name in keyof Table]: Table[Name] extends Kind ? Name : never
}[keyof Table]
