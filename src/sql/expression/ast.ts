import type { DataType } from '../../core/schema.ts'

/** Types of expressions: those of columns, and that of a bare NULL. */
export type SqlType = DataType | 'void'

/**
 * A value while an expression is evaluated: integers of up to 32 bits, float, double and date (days) as numbers; long,
 * timestamps (microseconds) and decimals (unscaled) as bigint; strings as text; binary as bytes. Of nested values only
 * that they are there is known: a struct is `true`, an array or map the number of its elements.
 */
export type Value = number | bigint | string | boolean | Uint8Array | null

/** An expression as it was written; operators are calls by their sign or keyword in capitals. */
export type Expression =
  | { readonly kind: 'literal'; readonly type: SqlType; readonly value: Value }
  | { readonly kind: 'column'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'cast'; readonly value: Expression; readonly type: SqlType }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[]
      readonly otherwise: Expression | undefined
    }
