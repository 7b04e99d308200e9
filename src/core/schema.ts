/** Primitive type names of the Delta schema, as they stand in `metaData.schemaString`. Spec: "Primitive Types". */
export type PrimitiveName =
  | 'string'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'float'
  | 'double'
  | 'boolean'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | `decimal(${number},${number})`

/** A Delta data type. Spec: "Schema Serialization Format". */
export type DataType = PrimitiveName | StructType | ArrayType | MapType

/** Spec: "Struct Type". */
export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly StructField[]
}

/** Spec: "Struct Field". */
export interface StructField {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Spec: "Array Type". */
export interface ArrayType {
  readonly type: 'array'
  readonly elementType: DataType
  readonly containsNull: boolean
}

/** Spec: "Map Type". */
export interface MapType {
  readonly type: 'map'
  readonly keyType: DataType
  readonly valueType: DataType
  readonly valueContainsNull: boolean
}

/** Precision and scale of a decimal type, or `undefined` for any other type. */
export function decimalOf(type: DataType): { precision: number; scale: number } | undefined {
  if (typeof type !== 'string') return undefined
  const match = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(type)
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) }
}
