import { literalTextOf, type ExpressionNode } from '../../config/transforms/expression.ts'
import { signatureOf } from '../../config/transforms/expression-functions.ts'
import { findField, typeName, type DataType, type StructType } from '../core/schema.ts'
import { fieldPathOf } from '../jmespath/expression.ts'
import { dateParserFor } from './date-pattern.ts'
import { KAFKA_SOURCE_TYPES } from './record.ts'

const TEXT = 'lower upper trim trim_left trim_right pad_left pad_right replace join to_string type'.split(' ')
const BOOLEANS = 'starts_with ends_with contains'.split(' ')
const LONGS = 'length find_first find_last'.split(' ')
const TEXTS: DataType = { type: 'array', elementType: 'string', containsNull: true }

/**
 * Returns the column type of an expression over messages of `schema`, or `undefined` when it depends on the values.
 */
export function typeOfExpression(node: ExpressionNode, schema: StructType | undefined): DataType | undefined {
  const path = fieldPathOf(node)
  if (path !== undefined) return schema === undefined ? undefined : typeAtPath(schema, path)
  switch (node.type) {
    case 'Literal':
      return typeOfLiteral(node.value)
    case 'Comparator':
    case 'NotExpression':
      return 'boolean'
    case 'OrExpression':
    case 'AndExpression':
      return common(typeOfExpression(node.left, schema), typeOfExpression(node.right, schema))
    case 'Ternary':
      return common(typeOfExpression(node.trueExpr, schema), typeOfExpression(node.falseExpr, schema))
    case 'Pipe':
    case 'Subexpression':
      return typeOfExpression(node.right, undefined)
    case 'Function':
      return typeOfCall(node.name, node.children, schema)
    default:
      return undefined
  }
}

/** Returns the type of the field at a path of structs, or `undefined` when it does not exist. */
export function typeAtPath(schema: DataType, path: readonly string[]): DataType | undefined {
  let type: DataType | undefined = schema
  for (const name of path) {
    if (typeof type === 'string' || type?.type !== 'struct') return undefined
    type = findField(type, name)?.type
  }
  return type
}

function typeOfLiteral(value: unknown): DataType | undefined {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'long' : 'double'
  return undefined
}

function common(a: DataType | undefined, b: DataType | undefined): DataType | undefined {
  if (a === undefined || b === undefined) return undefined
  return typeof a === 'string' && a === b ? a : undefined
}

function typeOfCall(
  name: string,
  args: readonly ExpressionNode[],
  schema: StructType | undefined,
): DataType | undefined {
  const signature = signatureOf(name)
  if (signature === undefined) {
    if (TEXT.includes(name)) return 'string'
    if (BOOLEANS.includes(name)) return 'boolean'
    if (LONGS.includes(name)) return 'long'
    return name === 'split' || name === 'keys' ? TEXTS : undefined
  }
  switch (signature.returns) {
    case 'text':
      return 'string'
    case 'integer':
      return 'long'
    case 'boolean':
      return 'boolean'
    case 'instant':
      return name === 'parse_date' && dateParserFor(literalTextOf(args[1]) ?? '', 'UTC').isDate
        ? 'date'
        : 'timestamp'
    case 'same': {
      const [value, otherwise] = args.map((arg) => typeOfExpression(arg, schema))
      return common(value, otherwise)
    }
    case 'any': {
      const source = name === 'kafka' ? literalTextOf(args[0]) : undefined
      return source !== undefined && source in KAFKA_SOURCE_TYPES
        ? KAFKA_SOURCE_TYPES[source as keyof typeof KAFKA_SOURCE_TYPES]
        : undefined
    }
  }
}

/** Returns true when values of the first type can be stored in a column of the second, as far as the types allow a decision. */
export function isAssignable(value: DataType, column: DataType): boolean {
  const [from, to] = [typeName(value), typeName(column).replace(/\(.*/, '')]
  if (from === to) return true
  return ASSIGNABLE_TO[from.replace(/\(.*/, '')]?.includes(to) ?? false
}

const NUMBERS = ['byte', 'short', 'integer', 'long', 'float', 'double', 'decimal']
const ASSIGNABLE_TO: Readonly<Record<string, readonly string[]>> = {
  string: ['date', 'timestamp', 'timestamp_ntz', 'binary', 'decimal'],
  timestamp: ['string'],
  date: ['string'],
  byte: NUMBERS,
  short: NUMBERS,
  integer: NUMBERS,
  long: [...NUMBERS, 'timestamp'],
  float: NUMBERS,
  double: NUMBERS,
  decimal: NUMBERS,
}
