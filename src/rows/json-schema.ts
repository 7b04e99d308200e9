import type { Row } from '../arrow/rows.ts'
import { loadContract } from '../contract/contract.ts'
import type { Flat, PrimitiveInput, PrimitiveValue } from './row-types.ts'
import type { ContractOf } from './schema-contract.ts'

/**
 * Returns the contract of a JSON Schema that is written as a literal, with the types of its rows. Types come from `type`,
 * `properties`, `required`, `items`, `additionalProperties`, `enum`, `const`, `nullable` and `x-delta-type`; what they cannot
 * express, such as `anyOf`, is `unknown` to the compiler. All keywords are checked when messages are read.
 * @throws KD_CONTRACT_INVALID with every fault and its JSON pointer
 */
export function jsonSchema<const S extends object>(
  schema: S,
): ContractOf<RowOfJsonSchema<S>, RowInputOfJsonSchema<S>> {
  return loadContract(schema, { source: 'jsonSchema()' })
}

/** Selects the type of the rows of a JSON Schema as operators see them: properties that are not required may be null. */
export type RowOfJsonSchema<S> = AsRow<JsonValue<S, 'out'>>

/** Selects the type of the rows of a JSON Schema as operators may return them: properties that may be null may be absent. */
export type RowInputOfJsonSchema<S> = AsRow<JsonValue<S, 'in'>>

type AsRow<T> = unknown extends T ? Row : T extends object ? T : Row

/** Distinguishes values as operators see them from values as operators may return them. */
type Side = 'out' | 'in'

/** Selects the type of a value; keywords that combine schemas, and references, leave it unknown. */
type JsonValue<S, D extends Side> = S extends Combined
  ? unknown
  : S extends { readonly nullable: true }
    ? JsonPresent<S, D> | null
    : JsonPresent<S, D>

type Combined =
  | { readonly $ref: unknown }
  | { readonly anyOf: unknown }
  | { readonly oneOf: unknown }
  | { readonly allOf: unknown }

type JsonPresent<S, D extends Side> = S extends { readonly 'x-delta-type': infer P extends string }
  ? TypedValue<S, P, D>
  : S extends { readonly const: infer C }
    ? C
    : S extends { readonly enum: readonly (infer E)[] }
      ? E
      : S extends { readonly type: readonly (infer T)[] }
        ? NamedValue<S, T, D>
        : S extends { readonly type: infer T }
          ? NamedValue<S, T, D>
          : S extends { readonly properties: object }
            ? NamedValue<S, 'object', D>
            : unknown

/** Selects the type of a column that names its Delta type; null comes from its JSON type. */
type TypedValue<S, P extends string, D extends Side> =
  | Primitive<P, D>
  | (S extends { readonly type: infer T }
      ? T extends readonly unknown[]
        ? Extract<'null', T[number]> extends never
          ? never
          : null
        : never
      : never)

type Primitive<P extends string, D extends Side> = D extends 'out' ? PrimitiveValue<P> : PrimitiveInput<P>

/** Distributes over the names of types. */
type NamedValue<S, T, D extends Side> = T extends 'string'
  ? Primitive<StringType<S>, D>
  : T extends 'integer'
    ? Primitive<'long', D>
    : T extends 'number'
      ? number
      : T extends 'boolean'
        ? boolean
        : T extends 'null'
          ? null
          : T extends 'array'
            ? readonly (S extends { readonly items: infer I } ? JsonValue<I, D> : unknown)[]
            : T extends 'object'
              ? ObjectValue<S, D>
              : unknown

type StringType<S> = S extends { readonly format: 'date' }
  ? 'date'
  : S extends { readonly format: 'date-time' }
    ? 'timestamp'
    : 'string'

type ObjectValue<S, D extends Side> = S extends { readonly properties: infer P }
  ? StructValue<P, RequiredOf<S>, D>
  : S extends { readonly additionalProperties: infer V extends object }
    ? MapValueOf<JsonValue<V, D>, D>
    : unknown

type MapValueOf<V, D extends Side> =
  Readonly<Record<string, V>> | (D extends 'in' ? ReadonlyMap<string, V> : never)

type RequiredOf<S> = S extends { readonly required: readonly (infer K)[] } ? K : never

type StructValue<P, Required, D extends Side> = D extends 'out'
  ? Flat<{ readonly [K in keyof P]: JsonValue<P[K], D> | (K extends Required ? never : null) }>
  : Flat<
      {
        readonly [K in keyof P as IsOptional<P, K, Required> extends true ? never : K]: JsonValue<P[K], D>
      } & {
        readonly [K in keyof P as IsOptional<P, K, Required> extends true ? K : never]?:
          JsonValue<P[K], D> | null | undefined
      }
    >

/** A property may be absent unless it is required and not null: an absent column is null. */
type IsOptional<P, K extends keyof P, Required> = K extends Required
  ? null extends JsonValue<P[K], 'in'>
    ? true
    : false
  : true
