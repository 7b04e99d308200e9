import { columnNameFault, type DataType, type StructField } from '../../core/schema.ts'
import { ANY_JSON_METADATA } from '../json-schema/delta-type.ts'
import { isJsonObject, extendPointer } from '../json-schema/json-schema.ts'
import { addFault } from '../json-schema/walk.ts'
import type { SchemaPart, SchemaWalk } from '../json-schema/walk.ts'

/**
 * Returns the struct or map that the object schemas `parts` describe together. The columns have the order of the
 * contract.
 */
export function structTypeOf(
  parts: readonly SchemaPart[],
  at: string,
  walk: SchemaWalk,
): DataType | undefined {
  const patterned = parts.find(({ schema }) => Object.hasOwn(schema, 'patternProperties'))
  if (patterned !== undefined) {
    return addFault(
      walk,
      extendPointer(patterned.at, 'patternProperties'),
      'properties by pattern cannot be columns; name them, or use `additionalProperties` alone for a map',
    )
  }
  const properties = propertiesOf(parts)
  const additional = parts.filter(({ schema }) => hasKeywords(schema['additionalProperties']))
  if (additional.length > 0) {
    if (properties.size > 0) {
      return addFault(
        walk,
        at,
        'has both `properties` and typed `additionalProperties`; a column is a struct or a map',
      )
    }
    return mapOf(additional, walk)
  }
  if (properties.size === 0)
    return addFault(walk, at, 'an object needs `properties` (a struct) or `additionalProperties` (a map)')
  const faultsBefore = walk.faults.length
  checkNames(properties, walk)
  const fields = [...properties].map(([name, property]) => fieldOf(name, property, walk))
  if (walk.faults.length > faultsBefore) return undefined
  return { type: 'struct', fields: fields.filter((field) => field !== undefined) }
}

interface Property {
  readonly at: string
  readonly parts: readonly SchemaPart[]
}

function propertiesOf(parts: readonly SchemaPart[]): Map<string, Property> {
  const found = new Map<string, { at: string; parts: SchemaPart[] }>()
  for (const part of parts) {
    const properties = part.schema['properties']
    if (!isJsonObject(properties)) continue
    for (const [name, schema] of Object.entries(properties)) {
      const at = extendPointer(part.at, 'properties', name)
      const property = found.get(name) ?? { at, parts: [] }
      if (isJsonObject(schema)) property.parts.push({ schema, at, refs: part.refs })
      found.set(name, property)
    }
  }
  return found
}

function checkNames(properties: ReadonlyMap<string, Property>, walk: SchemaWalk): void {
  const seen = new Map<string, string>()
  for (const [name, { at }] of properties) {
    const before = seen.get(name.toLowerCase())
    if (before !== undefined) {
      addFault(walk, at, `${JSON.stringify(name)} and ${JSON.stringify(before)} differ only by case`)
    }
    seen.set(name.toLowerCase(), name)
    const fault = columnNameFault(name)
    if (fault !== undefined)
      addFault(walk, at, `${JSON.stringify(name)} cannot be a column name: it ${fault}`)
  }
}

function fieldOf(name: string, property: Property, walk: SchemaWalk): StructField | undefined {
  const type = walk.typeOf(property.parts, property.at)
  if (type === undefined) return undefined
  return {
    name,
    type,
    nullable: true,
    metadata: walk.acceptsAnyJson(property.parts) ? ANY_JSON_METADATA : {},
  }
}

function mapOf(parts: readonly SchemaPart[], walk: SchemaWalk): DataType | undefined {
  const values = parts.flatMap(({ schema, at, refs }): SchemaPart[] => {
    const value = schema['additionalProperties']
    return isJsonObject(value) ? [{ schema: value, at: extendPointer(at, 'additionalProperties'), refs }] : []
  })
  const valueType = walk.typeOf(values, values[0]?.at ?? '')
  if (valueType === undefined) return undefined
  return { type: 'map', keyType: 'string', valueType, valueContainsNull: true }
}

/** Returns true for a schema with keywords: `additionalProperties: {}` means the same as `true`. */
function hasKeywords(schema: unknown): boolean {
  return isJsonObject(schema) && Object.keys(schema).length > 0
}
