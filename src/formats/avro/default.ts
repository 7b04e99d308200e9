import { ExactNumber } from '../../core/exact.ts'
import { isEmptyRecord, nonNullBranches, unionMemberName } from './columns.ts'
import type { AvroNode, AvroRecord } from './schema.ts'
import { bytesConverter, intConverter, longConverter } from './values.ts'

/** A default may leave out a field whose own default is of the same type. */
const DEPTH_MAX = 200

/**
 * Returns a default value of a schema as it appears in a row. A default of a union takes the first branch that it
 * fits. Throws when `json` is not a value of `node`.
 */
export function avroDefaultValue(node: AvroNode, json: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw new Error(`expected at most ${DEPTH_MAX} nested levels, got more`)
  switch (node.kind) {
    case 'null':
      expected(json === null, 'null', json)
      return null
    case 'boolean':
      expected(typeof json === 'boolean', 'a boolean', json)
      return json
    case 'string':
      expected(typeof json === 'string', 'text', json)
      return json
    case 'int':
      expected(isWhole(json, 32), 'a number of 32 bits', json)
      return intConverter(node.logical)(Number(json))
    case 'long':
      expected(isWhole(json, 64), 'a number of 64 bits', json)
      return longConverter(node.logical)(json as number | bigint)
    case 'float':
      return Math.fround(numberOf(json))
    case 'double':
      return numberOf(json)
    case 'bytes':
      return bytesConverter(node.logical)(bytesOf(json))
    case 'fixed': {
      const bytes = bytesOf(json)
      expected(bytes.length === node.size, `${node.size} bytes`, json)
      return bytesConverter(node.logical)(bytes)
    }
    case 'enum':
      expected(node.symbols.includes(json as string), 'one of the symbols', json)
      return json
    case 'array':
      expected(Array.isArray(json), 'a list', json)
      return (json as unknown[]).map((item) => avroDefaultValue(node.items, item, depth + 1))
    case 'map':
      return Object.fromEntries(
        entriesOf(json).map(([key, value]) => [key, avroDefaultValue(node.values, value, depth + 1)]),
      )
    case 'union':
      return unionDefault(node.branches, json, depth)
    case 'record':
      return recordDefault(node, json, depth)
  }
}

function recordDefault(node: AvroRecord, json: unknown, depth: number): unknown {
  const { fields } = node
  const given = new Map(entriesOf(json))
  const entries = fields.map(({ name, node: field, default: absent }): [string, unknown] => {
    if (!given.has(name) && absent === undefined) throw new Error(`expected a field ${name}, got none`)
    return [name, avroDefaultValue(field, given.has(name) ? given.get(name) : absent?.json, depth + 1)]
  })
  return isEmptyRecord(node) ? true : Object.fromEntries(entries)
}

function unionDefault(branches: readonly AvroNode[], json: unknown, depth: number): unknown {
  const members = nonNullBranches(branches)
  let fault: unknown
  for (const branch of branches) {
    try {
      const value = avroDefaultValue(branch, json, depth + 1)
      return value === null || members.length === 1
        ? value
        : { [unionMemberName(members.indexOf(branch))]: value }
    } catch (error) {
      fault ??= error
    }
  }
  throw fault
}

function isWhole(json: unknown, bits: number): boolean {
  if (typeof json === 'bigint') return BigInt.asIntN(bits, json) === json
  return Number.isSafeInteger(json) && BigInt.asIntN(bits, BigInt(json as number)) === BigInt(json as number)
}

function numberOf(json: unknown): number {
  if (json instanceof ExactNumber) return Number(json.text)
  if (typeof json === 'string' && /^(?:NaN|-?Infinity)$/.test(json)) return Number(json)
  expected(typeof json === 'number' || typeof json === 'bigint', 'a number', json)
  return Number(json)
}

/** Each character of the default is one byte. */
function bytesOf(json: unknown): Buffer {
  expected(typeof json === 'string' && !/[^\0-\xff]/.test(json), 'text of characters up to 255', json)
  return Buffer.from(json as string, 'latin1')
}

function entriesOf(json: unknown): readonly [string, unknown][] {
  expected(typeof json === 'object' && json !== null && !Array.isArray(json), 'an object', json)
  return Object.entries(json as object)
}

function expected(holds: boolean, what: string, json: unknown): void {
  if (holds) return
  const got =
    json === null ? 'null' : typeof json === 'string' ? JSON.stringify(json.slice(0, 100)) : typeof json
  throw new Error(`expected ${what}, got ${got}`)
}
