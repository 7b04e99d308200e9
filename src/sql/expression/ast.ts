import type { DataType } from '../../core/schema.ts'

/** Names the type of an expression: a column type, or `void` for a bare NULL. */
export type SqlType = DataType | 'void'

/**
 * A `SqlValue` is a value during evaluation: numbers for integers of up to 32 bits, float, double and date
 * (days); bigints for long, timestamps (microseconds) and decimals (unscaled); text for strings; bytes for
 * binary. Nested values are only represented by their presence: a struct is `true`, an array or map is its
 * number of elements.
 */
export type SqlValue = number | bigint | string | boolean | Uint8Array | null

/** Describes a parsed expression. Operators are calls named by their symbol or by their keyword in capitals. */
export type SqlExpression =
  | { readonly kind: 'literal'; readonly type: SqlType; readonly value: SqlValue }
  | { readonly kind: 'column'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly SqlExpression[] }
  | { readonly kind: 'cast'; readonly value: SqlExpression; readonly type: SqlType }
  | {
      readonly kind: 'case'
      readonly branches: readonly { readonly when: SqlExpression; readonly then: SqlExpression }[]
      readonly otherwise: SqlExpression | undefined
    }
