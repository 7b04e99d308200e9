import { decimalOf, type DataType, type StructType } from '../../core/schema.ts'
import { isPlainObject } from './stats.ts'

/**
 * Compares the recorded statistics of a file with those measured from its rows and returns the differences in words.
 * Counts must be equal; bounds must enclose the values, however wide they are; absent statistics are valid. `actual`
 * holds whole strings. Spec: "Per-file Statistics".
 */
export function findStatsFaults(
  recorded: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
  schema: StructType,
): readonly string[] {
  const faults: string[] = []
  const numRecords = recorded['numRecords']
  if (typeof numRecords === 'number' && numRecords !== actual['numRecords'])
    faults.push(`numRecords is ${numRecords}, the file holds ${String(actual['numRecords'])}`)
  for (const { path, type } of leavesOf(schema, [])) {
    const name = path.join('.')
    const of = (stats: Readonly<Record<string, unknown>>, kind: string): unknown =>
      valueAtPath(stats[kind], path)
    const nulls = of(recorded, 'nullCount')
    const nullsHeld = of(actual, 'nullCount')
    if (typeof nulls === 'number' && typeof nullsHeld === 'number' && nulls !== nullsHeld)
      faults.push(`nullCount of ${name} is ${nulls}, the file holds ${nullsHeld}`)
    const least = of(actual, 'minValues')
    const most = of(actual, 'maxValues')
    const min = of(recorded, 'minValues')
    const max = of(recorded, 'maxValues')
    if (isAbove(min, least, type))
      faults.push(`the minimum of ${name} is ${String(min)}, the file holds ${String(least)}`)
    if (isAbove(most, max, type))
      faults.push(`the maximum of ${name} is ${String(max)}, the file holds ${String(most)}`)
  }
  return faults
}

function* leavesOf(
  schema: StructType,
  above: readonly string[],
): Generator<{ path: readonly string[]; type: DataType }> {
  for (const { name, type } of schema.fields) {
    const path = [...above, name]
    if (typeof type !== 'string' && type.type === 'struct') yield* leavesOf(type, path)
    else yield { path, type }
  }
}

function valueAtPath(value: unknown, path: readonly string[]): unknown {
  let inner = value
  for (const name of path)
    inner = isPlainObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined
  return inner
}

/** Tells whether `a` is certainly above `b`; false if they cannot be compared. */
function isAbove(a: unknown, b: unknown, type: DataType): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return false
  if (type === 'timestamp' || type === 'timestamp_ntz') {
    const [left, right] = [millisOf(a), millisOf(b)]
    return left !== undefined && right !== undefined && left > right
  }
  if (type === 'string' || type === 'date') {
    return (
      typeof a === 'string' && typeof b === 'string' && Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0
    )
  }
  // Rounding to a double preserves the order: it can hide a difference in the last digits but never produce a false
  // one.
  const isNumber = typeof type === 'string' && (NUMBERS.has(type) || decimalOf(type) !== undefined)
  if (!isNumber || Number(a) <= Number(b)) return false
  // A column that was widened from float has bounds with the digits of a float.
  return type !== 'double' || Math.fround(Number(a)) !== Math.fround(Number(b))
}

const NUMBERS: ReadonlySet<string> = new Set(['long', 'integer', 'short', 'byte', 'float', 'double'])

/** Whole milliseconds, because writers may truncate the rest. */
function millisOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.replace(' ', 'T')
  const millis = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(millis) ? undefined : Math.floor(millis)
}
