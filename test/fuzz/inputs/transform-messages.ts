import type { DataType, StructField } from '../../../src/core/schema.ts'
import { INNER, NAMES, type Draw } from './transform-inputs.ts'

const VALUES = [
  ...'"x" "" "2026-03-01" "2026-03-01T10:20:30Z" "2026-02-30T10:20:30.123456789Z" "5" "-1" "ß😀y" "a@b.c"'.split(
    ' ',
  ),
  ...'"2300-01-01T00:00:00Z" "0000-01-01T00:00:00Z" "9999-12-31T23:59:59.999999Z" "\\u00e9" "a\\nb" "\\ud800"'.split(
    ' ',
  ),
  ...'0 1 -1 5 1.5 2.0 1e3 -0 -0.0 1772323200 1772323200000 1772323200000000 9007199254740993 0.1 1e400'.split(
    ' ',
  ),
  ...'253402300799 253402300800 -62167219200 -1.9 123456789012345678901234567890 0.1000000000000000055'.split(
    ' ',
  ),
  ...'true false null {} [] {"x":1} ["x",null] {"x":"y","n":2,"at":null}'.split(' '),
]
/** Values of the types that most columns have, so that many messages stay in columns. */
const LIKELY: Readonly<Record<string, readonly string[]>> = {
  string: ['"x"', '"2026-03-01"', '"2026-03-01T10:20:30Z"', '"ß😀yz"', '""', '"5"', 'null'],
  long: ['0', '5', '1772323200', '1772323200000', '-7', 'null'],
  double: ['0.5', '2.0', '-1.25', '7', 'null'],
  boolean: ['true', 'false'],
  timestamp: ['"2026-03-01T10:20:30Z"', '"1969-12-31T23:59:59.5Z"'],
  date: ['"2026-03-01"'],
  integer: ['0', '7', 'null'],
  'decimal(12,3)': ['1.5', '0', '-3.125', '12', 'null'],
  binary: ['"6162"', '""'],
}

function valueFor(draw: Draw, type: DataType | undefined): string {
  if (draw.chance(0.1) || type === undefined) return draw.of(VALUES)
  if (typeof type === 'string') return draw.of(LIKELY[type] ?? VALUES)
  if (type.type === 'struct') return objectFor(draw, type.fields, INNER)
  return draw.of(['[]', '["x"]', 'null'])
}

function objectFor(draw: Draw, fields: readonly StructField[], others: readonly string[]): string {
  const members = fields
    .filter(({ nullable }) => !nullable || draw.chance(0.85))
    .map(({ name, type }) => `"${name}":${valueFor(draw, type)}`)
  if (draw.chance(0.12))
    members.push(`"${draw.of([...others, 'zz', 'A', 'Day', 'other', 'kafka'])}":${draw.of(VALUES)}`)
  if (draw.chance(0.02)) members.push(...members.slice(0, 1))
  return `{${members.join(draw.of([',', ' , ']))}}`
}

/** Returns a random message of a topic. */
export function messageOf(draw: Draw, fields: readonly StructField[]): string | null {
  if (draw.chance(0.01)) return draw.of([null, 'null', '', 'x', '[]'])
  const message = objectFor(draw, fields, NAMES)
  if (!draw.chance(0.01)) return message
  const at = draw.below(message.length)
  return message.slice(0, at) + draw.of(['', '"', 'x', '}', '\\']) + message.slice(at + 1)
}
