import { toJsonText } from '../../../src/core/json-text.ts'
import { ExactNumber } from '../../../src/core/exact.ts'
import { decimalOf, type DataType, type StructType } from '../../../src/core/schema.ts'
import { inferType } from '../../../src/contract/columns/infer.ts'
import { parseExact } from '../../../src/formats/json/exact.ts'

/**
 * Returns where and how a value that a reader found in a column differs from the value of the message, or `undefined` if
 * they are equal. A field of the message without a column is a difference, unless its value has no type. Text in place of
 * another value is its JSON. `found` is what `parseExact` makes of the reader's JSON.
 */
export function findDifference(
  type: DataType,
  given: unknown,
  found: unknown,
  path = '',
): string | undefined {
  if (given === null || given === undefined) return found === null ? undefined : differ(path, given, found)
  if (typeof type === 'string') return isSame(type, given, found) ? undefined : differ(path, given, found)
  // Nothing in the value has a type, so that no column could be inferred from it.
  if (found === null) return inferType(given) === undefined ? undefined : differ(path, given, found)
  switch (type.type) {
    case 'struct':
      return findFieldDifference(type, given, found, path)
    case 'array': {
      if (!Array.isArray(given) || !Array.isArray(found) || given.length !== found.length)
        return differ(path, given, found)
      return firstOf(given.map((each, i) => findDifference(type.elementType, each, found[i], `${path}/${i}`)))
    }
    case 'map': {
      const entries = Object.entries(given)
      const pairs = Array.isArray(found) ? (found as [unknown, unknown][]) : Object.entries(found as object)
      if (entries.length !== pairs.length) return differ(path, given, found)
      const byKey = new Map(pairs.map(([key, value]) => [textOf(key), value]))
      return firstOf(
        entries.map(([key, each]) => findDifference(type.valueType, each, byKey.get(key), `${path}/${key}`)),
      )
    }
  }
}

function findFieldDifference(
  type: StructType,
  given: unknown,
  found: unknown,
  path: string,
): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof ExactNumber)
    return differ(path, given, found)
  const members = new Map<string, unknown>(Object.entries(given))
  const values = new Map<string, unknown>(Object.entries(found as object))
  const differences = type.fields.map(({ name, type: inner }) => {
    const key = members.has(name)
      ? name
      : [...members.keys()].find(
          (each) =>
            each.toLowerCase() === name.toLowerCase() && !type.fields.some((other) => other.name === each),
        )
    const value = key === undefined ? undefined : members.get(key)
    if (key !== undefined) members.delete(key)
    return findDifference(inner, value, values.get(name) ?? null, `${path}/${name}`)
  })
  for (const [name, value] of members)
    if (inferType(value) !== undefined) differences.push(differ(`${path}/${name}`, value, undefined))
  return firstOf(differences)
}

function isSame(type: DataType, given: unknown, found: unknown): boolean {
  if (type === 'string')
    return typeof given === 'string'
      ? given === found
      : typeof found === 'string' && toJsonText(parseExact(found)) === toJsonText(given)
  if (type === 'float' || type === 'double') return Number(textOf(given)) === Number(textOf(found))
  if (type === 'long' || decimalOf(type) !== undefined)
    return digitsOf(textOf(given)) === digitsOf(textOf(found))
  return textOf(given) === textOf(found)
}

/** `1.50`, `1.5` and `15e-1` have the same digits. */
function digitsOf(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number) ?? []
  const kept = (whole + fraction).replace(/0+$/, '')
  const scale = Number(exponent) - fraction.length + (whole + fraction).length - kept.length
  const digits = kept.replace(/^0+/, '')
  return digits === '' ? '0' : `${sign}${digits}e${scale}`
}

function textOf(value: unknown): string {
  return value instanceof ExactNumber ? value.text : String(value)
}

function differ(path: string, given: unknown, found: unknown): string {
  const shown = (value: unknown): string =>
    (value === undefined ? 'nothing' : toJsonText(value)).slice(0, 300)
  return `${JSON.stringify(path)}: given ${shown(given)}, found ${shown(found)}`
}

function firstOf(differences: readonly (string | undefined)[]): string | undefined {
  return differences.find((each) => each !== undefined)
}
