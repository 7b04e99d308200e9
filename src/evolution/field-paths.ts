import type { DataType, StructType } from '../core/schema.ts'

/**
 * Returns in how many ways a dotted path of a message, in lower case, leads to a field of the columns: more than one only
 * where names contain dots. `element` and `value` stand for the contents of arrays and maps.
 */
export function countWaysTo(columns: StructType, path: string): number {
  return waysFrom(columns, path)
}

function waysFrom(type: DataType, path: string): number {
  if (typeof type === 'string') return 0
  if (type.type === 'array')
    return path.startsWith('element.') ? waysFrom(type.elementType, path.slice(8)) : 0
  if (type.type === 'map') return path.startsWith('value.') ? waysFrom(type.valueType, path.slice(6)) : 0
  let ways = 0
  for (const { name, type: inner } of type.fields) {
    const folded = name.toLowerCase()
    if (path === folded) ways++
    else if (path.startsWith(`${folded}.`)) ways += waysFrom(inner, path.slice(folded.length + 1))
  }
  return ways
}
