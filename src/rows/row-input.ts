import type { ExactNumber } from '../core/exact.ts'
import type { Flat } from './row-types.ts'

/** Lists the values without fields that the compiler compares by name. */
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | ExactNumber
  | ReadonlyMap<unknown, unknown>

/** Stands for a field that a row must not have; the message of the compiler shows its name. */
export interface NoSuchColumn<Name> {
  readonly noSuchColumn: Name
}

/**
 * Selects `R` with a `NoSuchColumn` for each field, at any depth, that `In` does not have. The compiler does not look for
 * surplus fields in what a callback returns: with the parameter `R & Exactly<NoInfer<R>, In>` it refuses a misspelt name
 * also where the column may be null.
 */
export type Exactly<R, In> = R extends Leaf
  ? R
  : R extends readonly (infer Element)[]
    ? Extract<In, readonly unknown[]> extends readonly (infer Wanted)[]
      ? readonly Exactly<Element, Wanted>[]
      : R
    : string extends keyof In
      ? R
      : { [K in keyof R]: K extends NamesOf<In> ? Exactly<R[K], FieldOf<In, K>> : NoSuchColumn<K> }

type NamesOf<In> = In extends Leaf ? never : keyof In

type FieldOf<In, K> = In extends Leaf ? never : K extends keyof In ? In[K] : never

/**
 * Selects the type of rows as operators may return them for columns that rows of type `T` already have: fields that may be
 * null may be absent, and decimals may be text or numbers.
 */
export type RowInput<T> = T extends ExactNumber
  ? ExactNumber | string | number | bigint
  : T extends Leaf
    ? T
    : T extends readonly (infer Element)[]
      ? readonly RowInput<Element>[]
      : string extends keyof T
        ? T
        : Flat<
            { readonly [K in keyof T as null extends T[K] ? never : K]: RowInput<T[K]> } & {
              readonly [K in keyof T as null extends T[K] ? K : never]?: RowInput<T[K]> | undefined
            }
          >
