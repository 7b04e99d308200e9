import { PipelineError } from '../../core/errors.ts'
import type { DataType, PrimitiveName, StructField, StructType } from '../../core/schema.ts'
import { decimalOf } from '../../core/schema.ts'
import { isWellFormedJson, parseJson } from '../protocol/action-json.ts'
import { stringify } from 'lossless-json'

/**
 * Parses the schema of a table from `metaData.schemaString`; the metadata of fields is kept unchanged. Spec: "Schema
 * Serialization Format".
 * @throws KD_TABLE_CORRUPT if the text is not a schema
 * @throws KD_TABLE_UNSUPPORTED naming the column type that is not supported
 */
export function parseSchema(schemaString: string): StructType {
  let value: unknown
  try {
    value = parseJson(schemaString)
  } catch (cause) {
    throw corrupt('metaData.schemaString is not JSON', '', cause)
  }
  const type = readType(value, '', 0)
  if (typeof type === 'string' || type.type !== 'struct') throw corrupt('the schema must be a struct', '')
  return type
}

/**
 * Serialises a schema for `metaData.schemaString`. Spec: "Schema Serialization Format".
 * @throws KD_SCHEMA_MISMATCH for text that is not well-formed Unicode
 */
export function serialiseSchema(schema: StructType): string {
  const text = stringify(plainType(schema))
  if (text === undefined) throw new TypeError('The schema has no JSON form')
  if (isWellFormedJson(text)) return text
  const detail =
    'a column name, or the metadata of a column, contains half of a surrogate pair. Other readers cannot open such a table; restore a version before it'
  throw new PipelineError('KD_SCHEMA_MISMATCH', detail)
}

/** Maximum nesting of types. Real tables stay far below it, and parsing is recursive. */
const DEPTH_MAX = 100

const PRIMITIVES: ReadonlySet<string> = new Set([
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'float',
  'double',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
])

function readType(value: unknown, path: string, depth: number): DataType {
  if (depth > DEPTH_MAX) throw corrupt(`types nest deeper than ${DEPTH_MAX}`, path)
  if (typeof value === 'string') return readPrimitive(value, path)
  const type = objectOf(value, path)
  switch (type['type']) {
    case 'struct': {
      const fields = type['fields']
      if (!Array.isArray(fields)) throw corrupt('a struct has no array of fields', path)
      return { type: 'struct', fields: fields.map((field) => readField(field, path, depth)) }
    }
    case 'array':
      return {
        type: 'array',
        elementType: readType(type['elementType'], `${path}.element`, depth + 1),
        containsNull: type['containsNull'] !== false,
      }
    case 'map':
      return {
        type: 'map',
        keyType: readType(type['keyType'], `${path}.key`, depth + 1),
        valueType: readType(type['valueType'], `${path}.value`, depth + 1),
        valueContainsNull: type['valueContainsNull'] !== false,
      }
    default:
      throw unsupported(JSON.stringify(type['type']), path)
  }
}

function readField(value: unknown, parent: string, depth: number): StructField {
  const field = objectOf(value, parent)
  const name = field['name']
  if (typeof name !== 'string') throw corrupt('a field has no name', parent)
  const path = parent === '' ? name : `${parent}.${name}`
  const metadata = field['metadata']
  return {
    name,
    type: readType(field['type'], path, depth + 1),
    nullable: field['nullable'] !== false,
    metadata: metadata === undefined || metadata === null ? {} : objectOf(metadata, path),
  }
}

function readPrimitive(name: string, path: string): PrimitiveName {
  if (PRIMITIVES.has(name)) return name as PrimitiveName
  // Spark writes a bare `decimal` for its default precision and scale.
  if (name === 'decimal') return 'decimal(10,0)'
  const decimal = decimalOf(name as PrimitiveName)
  if (decimal === undefined) throw unsupported(name, path)
  const { precision, scale } = decimal
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    throw corrupt(`${name} must have a precision of 1 to 38 and a scale within it`, path)
  }
  return `decimal(${precision},${scale})`
}

/**
 * Returns the path and the reason of the first type, at any depth, that a column cannot have. The reason completes "column
 * …". Spec: "Primitive Types".
 */
export function findTypeFault(
  type: unknown,
  path = '',
): { readonly path: string; readonly fault: string } | undefined {
  if (typeof type === 'string') return isPrimitive(type) ? undefined : { path, fault: unknownType(type) }
  const { type: kind, ...parts } = (type ?? {}) as Readonly<Record<string, unknown>>
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`)
  if (kind === 'array') return findTypeFault(parts['elementType'], below('element'))
  if (kind === 'map')
    return findTypeFault(parts['keyType'], below('key')) ?? findTypeFault(parts['valueType'], below('value'))
  if (kind !== 'struct' || !Array.isArray(parts['fields'])) return { path, fault: unknownType(type) }
  for (const field of parts['fields'] as readonly Partial<StructField>[]) {
    const found = findTypeFault(field.type, below(String(field.name)))
    if (found !== undefined) return found
  }
  return undefined
}

function isPrimitive(name: string): boolean {
  if (PRIMITIVES.has(name)) return true
  const decimal = decimalOf(name as PrimitiveName)
  if (decimal === undefined) return false
  const { precision, scale } = decimal
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
}

function unknownType(type: unknown): string {
  return `has the type ${JSON.stringify(type)}, expected a Delta type: ${[...PRIMITIVES].join(', ')}, decimal(p,s) with p up to 38, struct, array or map`
}

/** Converts a type to plain JSON, with keys in the order in which Spark writes them. */
function plainType(type: DataType): unknown {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({
          name: field.name,
          type: plainType(field.type),
          nullable: field.nullable,
          metadata: field.metadata,
        })),
      }
    case 'array':
      return { type: 'array', elementType: plainType(type.elementType), containsNull: type.containsNull }
    case 'map':
      return {
        type: 'map',
        keyType: plainType(type.keyType),
        valueType: plainType(type.valueType),
        valueContainsNull: type.valueContainsNull,
      }
  }
}

function objectOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw corrupt('expected a JSON object in metaData.schemaString', path)
}

function corrupt(detail: string, column: string, cause?: unknown): PipelineError {
  return new PipelineError('KD_TABLE_CORRUPT', detail, column === '' ? {} : { column }, { cause })
}

function unsupported(type: string, column: string): PipelineError {
  return new PipelineError('KD_TABLE_UNSUPPORTED', `the column type ${type} is not supported`, { column })
}
