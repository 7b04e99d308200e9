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

/** Characters that Parquet writers refuse in the name of a column unless the table maps its columns. */
export const REFUSED_IN_NAMES = /[ ,;{}()\n\t=]/

/** The field of this name; names that differ only by case name the same field, where none is equal to the letter. */
export function fieldNamed(type: StructType, name: string): StructField | undefined {
  const exact = type.fields.find((field) => field.name === name)
  if (exact !== undefined) return exact
  const folded = name.toLowerCase()
  return type.fields.find((field) => field.name.toLowerCase() === folded)
}

/** A type for people, and for comparing primitive ones: nested types by their kind alone. */
export function typeName(type: DataType): string {
  return typeof type === 'string' ? type.replaceAll(' ', '') : type.type
}

/** Whether a primitive type stands anywhere in the type. */
export function holdsType(type: DataType, name: PrimitiveName): boolean {
  if (typeof type === 'string') return type === name
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => holdsType(field.type, name))
    case 'array':
      return holdsType(type.elementType, name)
    case 'map':
      return holdsType(type.keyType, name) || holdsType(type.valueType, name)
  }
}
