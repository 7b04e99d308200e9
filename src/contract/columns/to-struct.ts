import type { DataType, StructField } from '../../core/schema.ts'
import { LOOSE_METADATA } from '../json-schema/delta-type.ts'
import { isObject, pointerTo } from '../json-schema/json-schema.ts'
import { fault } from '../json-schema/walk.ts'
import type { Part, Walk } from '../json-schema/walk.ts'

/** Characters that Delta refuses in a column name unless column mapping is on. */
const REFUSED = /[ ,;{}()\n\t=]/

/** The struct or map that the object schemas `parts` describe together; columns stand in the order of the contract. */
export function structOf(parts: readonly Part[], at: string, walk: Walk): DataType | undefined {
  const patterned = parts.find(({ schema }) => Object.hasOwn(schema, 'patternProperties'))
  if (patterned !== undefined) {
    return fault(
      walk,
      pointerTo(patterned.at, 'patternProperties'),
      'properties by pattern cannot be columns; name them, or use `additionalProperties` alone for a map',
    )
  }
  const properties = propertiesOf(parts)
  const additional = parts.filter(({ schema }) => typed(schema['additionalProperties']))
  if (additional.length > 0) {
    if (properties.size > 0) {
      return fault(
        walk,
        at,
        'has both `properties` and typed `additionalProperties`; a column is a struct or a map',
      )
    }
    return mapOf(additional, walk)
  }
  if (properties.size === 0)
    return fault(walk, at, 'an object needs `properties` (a struct) or `additionalProperties` (a map)')
  const faultsBefore = walk.faults.length
  checkNames(properties, walk)
  const fields = [...properties].map(([name, property]) => fieldOf(name, property, walk))
  if (walk.faults.length > faultsBefore) return undefined
  return { type: 'struct', fields: fields.filter((field) => field !== undefined) }
}

interface Property {
  readonly at: string
  readonly parts: readonly Part[]
}

function propertiesOf(parts: readonly Part[]): Map<string, Property> {
  const found = new Map<string, { at: string; parts: Part[] }>()
  for (const part of parts) {
    const properties = part.schema['properties']
    if (!isObject(properties)) continue
    for (const [name, schema] of Object.entries(properties)) {
      const at = pointerTo(part.at, 'properties', name)
      const property = found.get(name) ?? { at, parts: [] }
      if (isObject(schema)) property.parts.push({ schema, at, refs: part.refs })
      found.set(name, property)
    }
  }
  return found
}

function checkNames(properties: ReadonlyMap<string, Property>, walk: Walk): void {
  const seen = new Map<string, string>()
  for (const [name, { at }] of properties) {
    const before = seen.get(name.toLowerCase())
    if (before !== undefined) {
      fault(walk, at, `${JSON.stringify(name)} and ${JSON.stringify(before)} differ only by case`)
    }
    seen.set(name.toLowerCase(), name)
    if (name === '' || name === '__proto__' || REFUSED.test(name)) {
      fault(walk, at, `${JSON.stringify(name)} cannot be a column name`)
    }
  }
}

function fieldOf(name: string, property: Property, walk: Walk): StructField | undefined {
  const type = walk.typeOf(property.parts, property.at)
  if (type === undefined) return undefined
  return { name, type, nullable: true, metadata: walk.isLoose(property.parts) ? LOOSE_METADATA : {} }
}

function mapOf(parts: readonly Part[], walk: Walk): DataType | undefined {
  const values = parts.flatMap(({ schema, at, refs }): Part[] => {
    const value = schema['additionalProperties']
    return isObject(value) ? [{ schema: value, at: pointerTo(at, 'additionalProperties'), refs }] : []
  })
  const valueType = walk.typeOf(values, values[0]?.at ?? '')
  if (valueType === undefined) return undefined
  return { type: 'map', keyType: 'string', valueType, valueContainsNull: true }
}

/** `additionalProperties: {}` says no more than `true`. */
function typed(schema: unknown): boolean {
  return isObject(schema) && Object.keys(schema).length > 0
}
