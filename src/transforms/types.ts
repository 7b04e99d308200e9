import { literalText, type ExpressionNode } from '../../config/transforms/expression.ts'
import { signatureOf } from '../../config/transforms/expression-functions.ts'
import { fieldNamed, typeName, type DataType, type StructType } from '../core/schema.ts'
import { pathOf } from '../jmespath/expression.ts'
import { dateParser } from './date-pattern.ts'
import { SOURCE_TYPES } from './record.ts'

const TEXT = 'lower upper trim trim_left trim_right pad_left pad_right replace join to_string type'.split(' ')
const BOOLEANS = 'starts_with ends_with contains'.split(' ')
const LONGS = 'length find_first find_last'.split(' ')
const TEXTS: DataType = { type: 'array', elementType: 'string', containsNull: true }

/**
 * The column type that an expression over messages of `schema` gives, where that follows from the expression;
 * `undefined` where only values can tell.
 */
export function typeOfExpression(node: ExpressionNode, schema: StructType | undefined): DataType | undefined {
  const path = pathOf(node)
  if (path !== undefined) return schema === undefined ? undefined : typeAt(schema, path)
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

/** The type of the field at a path of structs; `undefined` where there is none. */
export function typeAt(schema: DataType, path: readonly string[]): DataType | undefined {
  let type: DataType | undefined = schema
  for (const name of path) {
    if (typeof type === 'string' || type?.type !== 'struct') return undefined
    type = fieldNamed(type, name)?.type
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
  switch (signature.gives) {
    case 'text':
      return 'string'
    case 'integer':
      return 'long'
    case 'boolean':
      return 'boolean'
    case 'instant':
      return name === 'parse_date' && dateParser(literalText(args[1]) ?? '', 'UTC').isDate
        ? 'date'
        : 'timestamp'
    case 'same': {
      const [value, otherwise] = args.map((arg) => typeOfExpression(arg, schema))
      return common(value, otherwise)
    }
    case 'any': {
      const source = name === 'kafka' ? literalText(args[0]) : undefined
      return source !== undefined && source in SOURCE_TYPES
        ? SOURCE_TYPES[source as keyof typeof SOURCE_TYPES]
        : undefined
    }
  }
}

/** Whether values of the first type can stand in a column of the second, as far as types tell. */
export function canStandIn(value: DataType, column: DataType): boolean {
  const [from, to] = [typeName(value), typeName(column).replace(/\(.*/, '')]
  if (from === to) return true
  return STANDS_IN[from.replace(/\(.*/, '')]?.includes(to) ?? false
}

const NUMBERS = ['byte', 'short', 'integer', 'long', 'float', 'double', 'decimal']
const STANDS_IN: Readonly<Record<string, readonly string[]>> = {
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
