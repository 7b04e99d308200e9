import type { ExpressionNode } from '../../../config/transforms/expression.ts'
import { WholeFraction } from '../../core/exact.ts'
import { fieldPathOf } from '../../jmespath/expression.ts'
import type { MessageRecord } from '../record.ts'
import { COLUMN_FUNCTIONS, INSTANT_FUNCTIONS } from './functions.ts'
import type { ColumnInput } from './input.ts'
import { readSource } from './read-source.ts'
import { withInstantTexts } from './time-text.ts'
import { VALUE_KINDS, ValueVector } from './value-vector.ts'

/** Evaluates an expression for all rows of a batch. The result is valid until the next evaluation. */
export type EvaluateColumn = (input: ColumnInput) => ValueVector

/** Holds what expressions refer to while they are compiled. */
export interface ColumnScope {
  /** Returns the index of the source at a path; a source that is new is added. */
  sourceAt(path: readonly string[]): number
  /** Calls a function of expressions like the interpreter does. */
  call(name: string, args: readonly unknown[], record: MessageRecord): unknown
}

/** Says why an expression cannot be evaluated on columns. */
export class NotOnColumns extends Error {}

/**
 * Compiles an expression to a program over columns.
 * @throws NotOnColumns when it has parts that only the interpreter evaluates
 */
export function compileColumns(node: ExpressionNode, scope: ColumnScope): EvaluateColumn {
  const path = fieldPathOf(node)
  const into = new ValueVector()
  if (path !== undefined) {
    const index = scope.sourceAt(path)
    return (input) => {
      readSource(input, index, into)
      return into
    }
  }
  switch (node.type) {
    case 'Literal':
      return compileLiteral(node.value, into)
    case 'OrExpression':
    case 'AndExpression':
      return compileChoice(node, scope, into)
    case 'NotExpression': {
      const child = compileColumns(node.child, scope)
      return (input) => {
        negate(child(input), into)
        return into
      }
    }
    case 'Ternary': {
      const [condition, one, other] = [node.condition, node.trueExpr, node.falseExpr].map((part) =>
        compileColumns(part, scope),
      ) as [EvaluateColumn, EvaluateColumn, EvaluateColumn]
      return (input) => {
        choose(condition(input), one(input), other(input), into)
        return into
      }
    }
    case 'Comparator': {
      const [left, right] = [compileTexts(node.left, scope), compileTexts(node.right, scope)]
      const { name } = node
      return (input) => {
        compare(name, left(input), right(input), into)
        return into
      }
    }
    case 'Arithmetic': {
      const [left, right] = [compileColumns(node.left, scope), compileColumns(node.right, scope)]
      const { operator } = node
      if (!OPERATORS.has(operator)) throw new NotOnColumns(`the operator ${operator} is evaluated on objects`)
      return (input) => {
        calculate(operator, left(input), right(input), into)
        return into
      }
    }
    case 'Function':
      return compileCall(node.name, node.children, scope, into)
    default:
      throw new NotOnColumns(`${node.type} is evaluated on objects`)
  }
}

function compileLiteral(value: unknown, into: ValueVector): EvaluateColumn {
  if (typeof value === 'object' && value !== null) throw new NotOnColumns('a literal list or object')
  return ({ length }) => {
    if (into.length === length && length > 0) return into
    into.reset(length)
    if (typeof value === 'string' && length > 0) {
      into.putText(0, value)
      for (let i = 1; i < length; i++) {
        into.kinds[i] = into.kinds[0] as number
        into.starts[i] = into.starts[0] as number
        into.ends[i] = into.ends[0] as number
      }
    } else for (let i = 0; i < length; i++) putScalar(into, i, value)
    return into
  }
}

/** Compiles an expression whose instants become text. */
function compileTexts(node: ExpressionNode, scope: ColumnScope): EvaluateColumn {
  const evaluate = compileColumns(node, scope)
  if (!mayBeInstant(node)) return evaluate
  const into = new ValueVector()
  return (input) => withInstantTexts(evaluate(input), into)
}

function mayBeInstant(node: ExpressionNode): boolean {
  switch (node.type) {
    case 'Function':
      return (
        INSTANT_FUNCTIONS.has(node.name) ||
        ((node.name === 'not_null' || node.name === 'default') && node.children.some(mayBeInstant))
      )
    case 'OrExpression':
    case 'AndExpression':
      return mayBeInstant(node.left) || mayBeInstant(node.right)
    case 'Ternary':
      return mayBeInstant(node.trueExpr) || mayBeInstant(node.falseExpr)
    default:
      return false
  }
}

/** Returns 1 for a value that counts as false, 0 for one that counts as true, and -1 when only the interpreter can tell. */
export function isFalse({ kinds, starts, ends }: ValueVector, i: number): 0 | 1 | -1 {
  switch (kinds[i]) {
    case VALUE_KINDS.null:
    case VALUE_KINDS.false:
      return 1
    case VALUE_KINDS.text:
      return starts[i] === ends[i] ? 1 : 0
    case VALUE_KINDS.unknown:
      return -1
    default:
      return 0
  }
}

function compileChoice(
  node: { readonly type: string; readonly left: ExpressionNode; readonly right: ExpressionNode },
  scope: ColumnScope,
  into: ValueVector,
): EvaluateColumn {
  const [left, right] = [compileColumns(node.left, scope), compileColumns(node.right, scope)]
  const isOr = node.type === 'OrExpression'
  return (input) => {
    const [one, other] = [left(input), right(input)]
    if (isOr) choose(one, one, other, into)
    else choose(one, other, one, into)
    return into
  }
}

/** Sets each value to that of `one` where the condition counts as true, and otherwise to that of `other`. */
function choose(condition: ValueVector, one: ValueVector, other: ValueVector, into: ValueVector): void {
  into.reset(condition.length)
  for (let i = 0; i < into.length; i++) {
    const isOther = isFalse(condition, i)
    if (isOther < 0) into.kinds[i] = VALUE_KINDS.unknown
    else into.copy(i, isOther === 1 ? other : one, i)
  }
}

function negate(child: ValueVector, into: ValueVector): void {
  into.reset(child.length)
  for (let i = 0; i < into.length; i++) {
    const isNot = isFalse(child, i)
    into.kinds[i] = isNot < 0 ? VALUE_KINDS.unknown : isNot === 1 ? VALUE_KINDS.true : VALUE_KINDS.false
  }
}

const isNumeric = (kind: number | undefined): boolean =>
  kind === VALUE_KINDS.number || kind === VALUE_KINDS.fraction

/** Compares as JMESPath does: only numbers have an order; for other values the result of an order is null. */
function compare(name: string, left: ValueVector, right: ValueVector, into: ValueVector): void {
  into.reset(left.length)
  const isEquality = name === 'EQ' || name === 'NE'
  for (let i = 0; i < into.length; i++) {
    const [one, other] = [left.kinds[i] as number, right.kinds[i] as number]
    if (one === VALUE_KINDS.unknown || other === VALUE_KINDS.unknown) into.kinds[i] = VALUE_KINDS.unknown
    else if (isEquality) {
      const same = isNumeric(one)
        ? isNumeric(other) && left.numbers[i] === right.numbers[i]
        : one === other && (one !== VALUE_KINDS.text || isSameText(left, right, i))
      into.kinds[i] = same === (name === 'EQ') ? VALUE_KINDS.true : VALUE_KINDS.false
    } else if (isNumeric(one) && isNumeric(other)) {
      const holds = inOrder(name, left.numbers[i] as number, right.numbers[i] as number)
      into.kinds[i] = holds ? VALUE_KINDS.true : VALUE_KINDS.false
    }
  }
}

function inOrder(name: string, left: number, right: number): boolean {
  switch (name) {
    case 'GT':
      return left > right
    case 'GTE':
      return left >= right
    case 'LT':
      return left < right
    default:
      return left <= right
  }
}

function isSameText(left: ValueVector, right: ValueVector, i: number): boolean {
  const [start, other] = [left.starts[i] as number, right.starts[i] as number]
  const size = (left.ends[i] as number) - start
  if (size !== (right.ends[i] as number) - other) return false
  for (let k = 0; k < size; k++) if (left.bytes[start + k] !== right.bytes[other + k]) return false
  return true
}

/** Adds, subtracts and multiplies; other operators are left to the interpreter. */
function calculate(operator: string, left: ValueVector, right: ValueVector, into: ValueVector): void {
  into.reset(left.length)
  for (let i = 0; i < into.length; i++) {
    const [one, other] = [left.kinds[i], right.kinds[i]]
    if (!isNumeric(one) || !isNumeric(other)) {
      into.kinds[i] = VALUE_KINDS.unknown
      continue
    }
    const [a, b] = [left.numbers[i] as number, right.numbers[i] as number]
    const result = resultOf(operator, a, b)
    if (!Number.isFinite(result) || Object.is(result, -0)) {
      into.kinds[i] = VALUE_KINDS.unknown
      continue
    }
    const hasFraction =
      one === VALUE_KINDS.fraction ||
      other === VALUE_KINDS.fraction ||
      !Number.isInteger(a) ||
      !Number.isInteger(b)
    const isFraction = hasFraction && Number.isSafeInteger(result)
    into.putNumber(i, isFraction ? VALUE_KINDS.fraction : VALUE_KINDS.number, result)
  }
}

const OPERATORS: ReadonlySet<string> = new Set(['Plus', 'Minus', 'Multiply', 'Star', 'Divide'])

function resultOf(operator: string, left: number, right: number): number {
  switch (operator) {
    case 'Plus':
      return left + right
    case 'Minus':
      return left - right
    case 'Multiply':
    case 'Star':
      return left * right
    case 'Divide':
      return left / right
    default:
      return NaN
  }
}

/** Functions that return an argument as it is, whose general form would lose how a number was written. */
const PASSING = new Set(['to_array', 'to_number'])

function compileCall(
  name: string,
  children: readonly ExpressionNode[],
  scope: ColumnScope,
  into: ValueVector,
): EvaluateColumn {
  const args = children.map((child) => compileArgument(child, scope))
  const general: CallRow = (values, i, record) => {
    callFor(name, values, scope, i, record, into)
  }
  const own = COLUMN_FUNCTIONS.get(name)
  if (own !== undefined && args.every((arg) => typeof arg === 'function')) {
    const retries = name === 'concat'
    return (input) => {
      const vectors = (args as readonly EvaluateColumn[]).map((arg) => arg(input))
      into.reset(input.length)
      own(vectors, into)
      if (retries) retryUnknown(input, vectors, into, general)
      return into
    }
  }
  if (name === 'to_array') throw new NotOnColumns('to_array() gives a list')
  return (input) => {
    const vectors = args.map((arg) => (typeof arg === 'function' ? arg(input) : arg.map((one) => one(input))))
    into.reset(input.length)
    into.kinds.fill(VALUE_KINDS.unknown, 0, input.length)
    retryUnknown(input, vectors, into, general)
    return into
  }
}

/** Calls a function for one row. */
type CallRow = (args: readonly Argument[], i: number, record: MessageRecord) => void

/** Holds the values of an argument: a list of several expressions is a list of values. */
type Argument = ValueVector | readonly ValueVector[]

function compileArgument(
  node: ExpressionNode,
  scope: ColumnScope,
): EvaluateColumn | readonly EvaluateColumn[] {
  return node.type === 'MultiSelectList'
    ? node.children.map((child) => compileTexts(child, scope))
    : compileTexts(node, scope)
}

/** Calls `general` for the rows that are unknown although all their arguments are known. */
function retryUnknown(
  input: ColumnInput,
  args: readonly Argument[],
  into: ValueVector,
  general: CallRow,
): void {
  const record = { raw: input.raw, record: 0 }
  for (let i = 0; i < input.length; i++) {
    if (into.kinds[i] !== VALUE_KINDS.unknown || !args.every((arg) => isKnown(arg, i))) continue
    record.record = input.records[i] as number
    general(args, i, record)
  }
}

function isKnown(arg: Argument, i: number): boolean {
  return arg instanceof ValueVector
    ? arg.kinds[i] !== VALUE_KINDS.unknown
    : arg.every(({ kinds }) => kinds[i] !== VALUE_KINDS.unknown && kinds[i] !== VALUE_KINDS.fraction)
}

/** Calls a function for one row as the interpreter does. A fault leaves the row unknown. */
function callFor(
  name: string,
  args: readonly Argument[],
  scope: ColumnScope,
  i: number,
  record: MessageRecord,
  into: ValueVector,
): void {
  if (PASSING.has(name) && args[0] instanceof ValueVector && args[0].kinds[i] === VALUE_KINDS.fraction) {
    into.copy(i, args[0], i)
    return
  }
  let result: unknown
  try {
    result = scope.call(
      name,
      args.map((arg) => (arg instanceof ValueVector ? scalarAt(arg, i) : arg.map((one) => scalarAt(one, i)))),
      record,
    )
  } catch {
    // The interpreter meets the same fault, and its text becomes that of the dead letter.
    return
  }
  putScalar(into, i, result)
}

function scalarAt(vector: ValueVector, i: number): unknown {
  switch (vector.kinds[i]) {
    case VALUE_KINDS.text:
      return vector.textAt(i)
    case VALUE_KINDS.number:
    case VALUE_KINDS.fraction:
      return vector.numbers[i]
    case VALUE_KINDS.true:
      return true
    case VALUE_KINDS.false:
      return false
    default:
      return null
  }
}

function putScalar(into: ValueVector, i: number, value: unknown): void {
  if (typeof value === 'string') into.putText(i, value)
  else if (typeof value === 'boolean') into.kinds[i] = value ? VALUE_KINDS.true : VALUE_KINDS.false
  else if (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0))
    into.putNumber(i, VALUE_KINDS.number, value)
  else if (value instanceof WholeFraction && Number.isSafeInteger(Number(value.text)))
    into.putNumber(i, VALUE_KINDS.fraction, Number(value.text))
  else into.kinds[i] = value === null || value === undefined ? VALUE_KINDS.null : VALUE_KINDS.unknown
}
