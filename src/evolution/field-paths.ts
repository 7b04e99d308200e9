import type { DroppedPaths } from '../arrow/rows.ts'
import type { DataType, StructType } from '../core/schema.ts'

/**
 * Returns in how many ways a dotted path of a message, in lower case, leads to a field of a type: more than one only
 * where names contain dots. `element` and `value` stand for the contents of arrays and maps.
 */
export function countWaysTo(type: DataType, path: string): number {
  if (typeof type === 'string') return 0
  if (type.type === 'array')
    return path.startsWith('element.') ? countWaysTo(type.elementType, path.slice(8)) : 0
  if (type.type === 'map') return path.startsWith('value.') ? countWaysTo(type.valueType, path.slice(6)) : 0
  let ways = 0
  for (const { name, type: inner } of type.fields) {
    const folded = name.toLowerCase()
    if (path === folded) ways++
    else if (path.startsWith(`${folded}.`)) ways += countWaysTo(inner, path.slice(folded.length + 1))
  }
  return ways
}

/**
 * Returns the path of a dropped field that the columns have now and did not have when it was dropped, or of any such
 * column when not all names of dropped fields are known.
 */
export function findMissedColumn(dropped: readonly DroppedPaths[], columns: StructType): string | undefined {
  for (const { of, paths, hasMore } of new Set(dropped)) {
    if (of === columns) continue
    // Reading again cannot give a field a column that it did not have before: only more ways than then count.
    for (const path of paths) if (countWaysTo(columns, path) > countWaysTo(of, path)) return path
    const added = hasMore ? pathsOf(columns).find((path) => countWaysTo(of, path) === 0) : undefined
    if (added !== undefined) return added
  }
  return undefined
}

/** Returns the dotted paths of all fields, in lower case. */
function pathsOf(type: DataType, prefix = ''): readonly string[] {
  if (typeof type === 'string') return []
  if (type.type === 'array') return pathsOf(type.elementType, `${prefix}element.`)
  if (type.type === 'map') return pathsOf(type.valueType, `${prefix}value.`)
  return type.fields.flatMap(({ name, type: inner }) => {
    const path = prefix + name.toLowerCase()
    return [path, ...pathsOf(inner, `${path}.`)]
  })
}
