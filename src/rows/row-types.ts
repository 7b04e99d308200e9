import type { Row } from '../arrow/rows.ts'
import type { ExactNumber } from '../core/exact.ts'
import type { DataType, PrimitiveName, StructType } from '../core/schema.ts'

/**
 * Describes a Delta struct type that knows the type of its rows: `Out` as operators see them, `In` as operators may
 * return them. At run time it is a plain `StructType`.
 */
export interface RowSchema<Out extends object = Row, In extends object = Out> extends StructType {
  /** Exists for the compiler alone; it is never set. */
  readonly rowTypes?: ValueTypes<Out, In> | undefined
}

/** Pairs the type of a value as operators see it with the type that they may return for it. */
export interface ValueTypes<Out, In> {
  readonly out: Out
  readonly in: In
}

/** Describes the type of a column whose values are `Out` as operators see them and `In` as operators may return them. */
export interface ColumnType<Out = unknown, In = Out> {
  readonly columnType: DataType
  readonly nullable: boolean
  /** Exists for the compiler alone; it is never set. */
  readonly valueTypes?: ValueTypes<Out, In> | undefined
}

/** Names a primitive type; with `?` at the end, values may be null. */
export type PrimitiveText = PrimitiveName | `${PrimitiveName}?`

/**
 * Describes a type in a schema as code: the name of a primitive type, a result of `list`, `struct`, `mapOf` or `nullable`, a
 * schema that `columns` returned, or the fields of a struct.
 */
export type FieldType = PrimitiveText | ColumnType | RowSchema<object> | FieldTypes

/** Maps the names of fields to their types. */
export interface FieldTypes {
  readonly [name: string]: FieldType
}

/**
 * Selects the type of a primitive value as operators see it. A long is a number while a double holds it exactly, so that
 * JSON can represent it, and a `bigint` otherwise. A decimal is an `ExactNumber`, binary is base64, dates and timestamps are
 * ISO 8601 text with microseconds.
 */
export type PrimitiveValue<P extends string> = P extends 'boolean'
  ? boolean
  : P extends 'byte' | 'short' | 'integer' | 'float' | 'double'
    ? number
    : P extends 'long'
      ? number | bigint
      : P extends `decimal(${string})`
        ? ExactNumber
        : string

/** Selects the type of a primitive value as operators may return it. */
export type PrimitiveInput<P extends string> = P extends 'boolean'
  ? boolean
  : P extends 'float' | 'double'
    ? number
    : P extends 'byte' | 'short' | 'integer' | 'long'
      ? number | bigint
      : P extends `decimal(${string})`
        ? ExactNumber | string | number | bigint
        : P extends 'date' | 'timestamp' | 'timestamp_ntz'
          ? string | Date
          : P extends 'binary'
            ? string | Uint8Array
            : string

/** Selects the type of a value as operators see it. */
export type ValueOf<F> = F extends string
  ? F extends `${infer P}?`
    ? PrimitiveValue<P> | null
    : PrimitiveValue<F>
  : F extends ColumnType<infer Out, unknown>
    ? Out
    : F extends RowSchema<infer Out, object>
      ? Out
      : F extends FieldTypes
        ? RowOf<F>
        : never

/** Selects the type of a value as operators may return it. */
export type ValueInputOf<F> = F extends string
  ? F extends `${infer P}?`
    ? PrimitiveInput<P> | null
    : PrimitiveInput<F>
  : F extends ColumnType<unknown, infer In>
    ? In
    : F extends RowSchema<object, infer In>
      ? In
      : F extends FieldTypes
        ? RowInputOf<F>
        : never

/** Selects the type of rows with these fields as operators see them: every field is present. */
export type RowOf<F extends FieldTypes> = string extends keyof F
  ? Row
  : Flat<{ readonly [K in keyof F]: ValueOf<F[K]> }>

/** Selects the type of rows with these fields as operators may return them: fields that may be null may also be absent. */
export type RowInputOf<F extends FieldTypes> = string extends keyof F
  ? Row
  : Flat<
      { readonly [K in keyof F as null extends ValueInputOf<F[K]> ? never : K]: ValueInputOf<F[K]> } & {
        readonly [K in keyof F as null extends ValueInputOf<F[K]> ? K : never]?:
          ValueInputOf<F[K]> | undefined
      }
    >

/** Joins the members of an intersection, so that messages of the compiler show one object. */
export type Flat<T> = T extends object ? { [K in keyof T]: T[K] } : never

/** Selects the type of the rows of a schema, or of a contract with one, as operators see them. */
export type Infer<S extends HasRowTypes> = TypesOf<S>['out']

/** Selects the type of the rows of a schema, or of a contract with one, as operators may return them. */
export type InferInput<S extends HasRowTypes> = TypesOf<S>['in']

/** Names what knows the type of its rows. */
export type HasRowTypes = RowSchema<object> | { readonly schema: RowSchema<object> }

/** Selects the types of the rows of a schema or contract. */
export type TypesOf<S> =
  S extends RowSchema<infer Out, infer In>
    ? ValueTypes<Out, In>
    : S extends { readonly schema: RowSchema<infer Out, infer In> }
      ? ValueTypes<Out, In>
      : ValueTypes<Row, Row>
