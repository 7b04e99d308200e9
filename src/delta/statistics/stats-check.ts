import { decimalOf, type DataType, type StructType } from '../../core/schema.ts'
import { isRecord } from './stats.ts'

/**
 * What is not true in a file's statistics, measured against those of its rows, which hold whole strings: counts must be
 * the same, bounds must hold, however wide. What is absent is no lie. Spec: "Per-file Statistics".
 */
export function liesIn(
  recorded: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
  schema: StructType,
): readonly string[] {
  const lies: string[] = []
  const said = recorded['numRecords']
  if (typeof said === 'number' && said !== actual['numRecords'])
    lies.push(`numRecords is ${said}, the file holds ${String(actual['numRecords'])}`)
  for (const { path, type } of leavesOf(schema, [])) {
    const name = path.join('.')
    const of = (stats: Readonly<Record<string, unknown>>, kind: string): unknown => at(stats[kind], path)
    const nulls = of(recorded, 'nullCount')
    const nullsHeld = of(actual, 'nullCount')
    if (typeof nulls === 'number' && typeof nullsHeld === 'number' && nulls !== nullsHeld)
      lies.push(`nullCount of ${name} is ${nulls}, the file holds ${nullsHeld}`)
    const least = of(actual, 'minValues')
    const most = of(actual, 'maxValues')
    const min = of(recorded, 'minValues')
    const max = of(recorded, 'maxValues')
    if (isAbove(min, least, type))
      lies.push(`the minimum of ${name} is ${String(min)}, the file holds ${String(least)}`)
    if (isAbove(most, max, type))
      lies.push(`the maximum of ${name} is ${String(max)}, the file holds ${String(most)}`)
  }
  return lies
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

function at(value: unknown, path: readonly string[]): unknown {
  let inner = value
  for (const name of path) inner = isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined
  return inner
}

/** Whether `a` is above `b` for certain; of what cannot be compared nothing is said. */
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
  // Rounding to a double keeps the order, so that it can hide a lie in the last digits but never make one up.
  const isNumber = typeof type === 'string' && (NUMBERS.has(type) || decimalOf(type) !== undefined)
  if (!isNumber || Number(a) <= Number(b)) return false
  // A double that was a float when the bound was written has the digits of that.
  return type !== 'double' || Math.fround(Number(a)) !== Math.fround(Number(b))
}

const NUMBERS: ReadonlySet<string> = new Set(['long', 'integer', 'short', 'byte', 'float', 'double'])

/** Whole milliseconds: writers may cut the rest off. */
function millisOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.replace(' ', 'T')
  const millis = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(millis) ? undefined : Math.floor(millis)
}
