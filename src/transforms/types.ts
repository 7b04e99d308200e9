import { literalTextOf, type ExpressionNode } from '../../config/transforms/expression.ts'
import { signatureOf } from '../../config/transforms/expression-functions.ts'
import { decimalOf, findField, typeName, type DataType, type StructType } from '../core/schema.ts'
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
    case 'Arithmetic':
      return typeOfArithmetic(
        node.operator,
        typeOfExpression(node.left, schema),
        typeOfExpression(node.right, schema),
      )
    case 'Unary':
      return typeOfArithmetic('Plus', typeOfExpression(node.operand, schema), 'long')
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

const INTEGERS: readonly DataType[] = ['byte', 'short', 'integer', 'long']

/**
 * Returns the type of a result of two numbers: long for two integers, double if one of them may have a fraction, and
 * `undefined` when only the values show it. Division gives a double.
 */
function typeOfArithmetic(
  operator: string,
  left: DataType | undefined,
  right: DataType | undefined,
): DataType | undefined {
  if (operator === 'Divide' || mayHaveFraction(left) || mayHaveFraction(right)) return 'double'
  return isInteger(left) && isInteger(right) ? 'long' : undefined
}

function mayHaveFraction(type: DataType | undefined): boolean {
  return type === 'double' || type === 'float' || (type !== undefined && decimalOf(type) !== undefined)
}

function isInteger(type: DataType | undefined): boolean {
  return type !== undefined && INTEGERS.includes(type)
}

/** Returns the type of a built-in function of numbers, or `undefined` when only the values show it. */
function typeOfNumbers(name: string, arg: DataType | undefined): DataType | undefined {
  const element = typeof arg === 'object' && arg.type === 'array' ? arg.elementType : undefined
  switch (name) {
    case 'avg':
      return 'double'
    case 'sum':
      return isInteger(element) ? 'long' : 'double'
    case 'max':
    case 'min':
      return element === 'string' ? element : typeOfArithmetic('Plus', element, 'long')
    case 'abs':
    case 'to_number':
      return typeOfArithmetic('Plus', arg, 'long')
    default:
      return undefined
  }
}

/** Returns the type that holds the values of both types, or `undefined` when only the values show it. */
function common(a: DataType | undefined, b: DataType | undefined): DataType | undefined {
  if (a === undefined || b === undefined || typeof a !== 'string') return undefined
  if (a === b) return a
  // Numbers of two types are integers only if both are.
  return isNumber(a) && isNumber(b) ? typeOfArithmetic('Plus', a, b) : undefined
}

/** A double cannot hold all decimals, so that a decimal is common to none but itself. */
function isNumber(type: DataType): boolean {
  return isInteger(type) || type === 'double' || type === 'float'
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
    if (name === 'split' || name === 'keys') return TEXTS
    return typeOfNumbers(name, args[0] && typeOfExpression(args[0], schema))
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
