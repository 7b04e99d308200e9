/** Names the primitive types of a Delta schema, as in `metaData.schemaString`. Spec: "Primitive Types". */
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

/** Describes a Delta data type. Spec: "Schema Serialization Format". */
export type DataType = PrimitiveName | StructType | ArrayType | MapType

/** Describes a struct type. Spec: "Struct Type". */
export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly StructField[]
}

/** Describes a field of a struct. Spec: "Struct Field". */
export interface StructField {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Describes an array type. Spec: "Array Type". */
export interface ArrayType {
  readonly type: 'array'
  readonly elementType: DataType
  readonly containsNull: boolean
}

/** Describes a map type. Spec: "Map Type". */
export interface MapType {
  readonly type: 'map'
  readonly keyType: DataType
  readonly valueType: DataType
  readonly valueContainsNull: boolean
}

/** Returns precision and scale of a decimal type, or `undefined` for any other type. */
export function decimalOf(type: DataType): { precision: number; scale: number } | undefined {
  if (typeof type !== 'string') return undefined
  const match = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(type)
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) }
}

/** Matches characters that Parquet writers refuse in column names unless the table maps its columns. */
const REFUSED_IN_NAMES = /[ ,;{}()\n\t=]/

/**
 * Returns why no column or nested field can have this name, or `undefined` when one can. A table that maps its columns
 * accepts the characters that Parquet writers refuse. The reason completes "the name …".
 */
export function columnNameFault(name: string, isMapped = false): string | undefined {
  if (name === '') return 'is empty'
  if (name === '__proto__') return 'is reserved'
  // In the log such a name is an escape that JSON parsers of other languages refuse: they could not open the table.
  if (!name.isWellFormed()) return 'is not well-formed Unicode: it contains half of a surrogate pair'
  // Arrow's C interface ends names there: delta-rs could not hand over the table, and DuckDB cuts the name.
  if (name.includes('\0')) return 'contains the character U+0000'
  // Our own reader loses the mark, and with it the column.
  if (name.startsWith('\ufeff')) return 'begins with a byte order mark (U+FEFF)'
  if (!isMapped && REFUSED_IN_NAMES.test(name)) return 'contains one of " ,;{}()\\n\\t="'
  return undefined
}

/** Returns the path and the reason of the first name in `type`, at any depth, that no field can have. */
export function findNameFault(
  type: DataType,
  isMapped = false,
  path = '',
): { readonly path: string; readonly fault: string } | undefined {
  if (typeof type === 'string') return undefined
  if (type.type === 'array') return findNameFault(type.elementType, isMapped, `${path}element.`)
  if (type.type === 'map')
    return (
      findNameFault(type.keyType, isMapped, `${path}key.`) ??
      findNameFault(type.valueType, isMapped, `${path}value.`)
    )
  const seen = new Set<string>()
  for (const { name, type: inner } of type.fields) {
    const folded = name.toLowerCase()
    const fault = seen.has(folded) ? 'appears twice, regardless of case' : columnNameFault(name, isMapped)
    if (fault !== undefined) return { path: path + name, fault }
    seen.add(folded)
    const below = findNameFault(inner, isMapped, `${path}${name}.`)
    if (below !== undefined) return below
  }
  return undefined
}

/** Returns the field of this name, preferring an exact match over one that differs in case. */
export function findField(type: StructType, name: string): StructField | undefined {
  const exact = type.fields.find((field) => field.name === name)
  if (exact !== undefined) return exact
  const folded = name.toLowerCase()
  return type.fields.find((field) => field.name.toLowerCase() === folded)
}

/** Returns the name of a type, for messages and to compare primitive types; for nested types only their kind. */
export function typeName(type: DataType): string {
  return typeof type === 'string' ? type.replaceAll(' ', '') : type.type
}

/** Returns whether a type is the primitive type `name` or contains it at any depth. */
export function containsType(type: DataType, name: PrimitiveName): boolean {
  if (typeof type === 'string') return type === name
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => containsType(field.type, name))
    case 'array':
      return containsType(type.elementType, name)
    case 'map':
      return containsType(type.keyType, name) || containsType(type.valueType, name)
  }
}
