import { TreeInterpreter } from '@jmespath-community/jmespath'
import type { ExpressionNode } from '../../config/transforms/expression.ts'
import {
  isMessageObject,
  isObjectOrArray,
  narrowFraction,
  narrowInteger,
  WholeFraction,
} from '../core/exact.ts'
import { BUILT_IN_FUNCTIONS, COMPARING, NARROW, narrowArguments } from './built-in.ts'
import { compareNumbers, toDouble, isNumber, type AnyNumber } from './numbers.ts'
import type { FunctionTable } from './function-table.ts'

type Visited = Parameters<(typeof TreeInterpreter)['visit']>[1]
type Searched = Parameters<(typeof TreeInterpreter)['search']>[1]
type Scope = Parameters<(typeof TreeInterpreter)['withScope']>[0]

/** The library exports one interpreter per process. Its class lets each topic have functions of its own. */
const Base = TreeInterpreter.constructor as new () => typeof TreeInterpreter

/** Describes the private evaluation state of the library's interpreter. */
interface InterpreterState {
  _rootValue: unknown
  _scope: { withScope(scope: Scope): InterpreterState['_scope'] }
}

/**
 * Extends the library's interpreter with additional functions and with the values of our messages: only own
 * properties are fields, and integers beyond 2^53 (`bigint`) and numbers that a double cannot hold (`ExactNumber`)
 * are numbers.
 */
export class Interpreter<Context> extends Base {
  readonly #functions: FunctionTable<Context>
  /** Set only while `evaluate` runs, like the library's own root value and scope. */
  #context: Context | undefined

  constructor(functions: FunctionTable<Context>) {
    super()
    this.#functions = functions
    const library = this.runtime.callFunction.bind(this.runtime)
    this.runtime.callFunction = (name, given) => {
      const own = functions.get(name) ?? BUILT_IN_FUNCTIONS.get(name)
      const args = narrowArguments(name, given) as typeof given
      // Values that are not JSON to the library, such as `bigint`, are passed to our functions unchanged.
      if (own !== undefined) return own(args, this.#context as Context) as ReturnType<typeof library>
      return library(name, COMPARING.has(name) ? withNarrowKeys(args) : args)
    }
  }

  /** Returns the result of an expression for a message. The functions that it calls receive `context`. */
  evaluate(node: ExpressionNode, message: unknown, context: Context): unknown {
    const outer = this.#context
    this.#context = context
    try {
      return this.search(node, message as Searched)
    } finally {
      // Otherwise the last record of a topic would keep its batch in memory.
      this.#context = outer
    }
  }

  /** Returns the result of a function for arguments that were evaluated before. */
  call(name: string, args: readonly unknown[], context: Context): unknown {
    const outer = this.#context
    this.#context = context
    try {
      return this.runtime.callFunction(name, args as Parameters<typeof this.runtime.callFunction>[1])
    } finally {
      this.#context = outer
    }
  }

  override withScope(scope: Scope): typeof TreeInterpreter {
    const inner = new Interpreter(this.#functions)
    inner.#context = this.#context
    const from = this as unknown as InterpreterState
    const to: InterpreterState = inner as unknown as InterpreterState
    to._rootValue = from._rootValue
    to._scope = from._scope.withScope(scope)
    return inner
  }

  override visit(node: ExpressionNode, value: Visited): ReturnType<(typeof TreeInterpreter)['visit']> {
    switch (node.type) {
      case 'Field':
        return fieldOf(value, node.name) as Visited
      case 'Comparator': {
        const left: unknown = this.visit(node.left, value)
        const right: unknown = this.visit(node.right, value)
        const compared = compareValues(node.name, left, right)
        if (compared !== undefined) return compared
        const [one, other] = [withoutFractions(left), withoutFractions(right)]
        return super.visit({ ...node, left: literal(one), right: literal(other) }, value)
      }
      case 'Arithmetic': {
        const left: unknown = this.visit(node.left, value)
        const right: unknown = this.visit(node.right, value)
        const exact = calculateExactly(node.operator, left, right)
        if (exact !== undefined) return exact as Visited
        const result = super.visit(
          { ...node, left: literal(plain(left)), right: literal(plain(right)) },
          value,
        )
        return (mayHaveFraction(left) || mayHaveFraction(right) ? withFraction(result) : result) as Visited
      }
      case 'Unary': {
        const operand: unknown = this.visit(node.operand, value)
        if (typeof operand === 'bigint')
          return (node.operator === 'Minus' ? narrowInteger(-operand) : operand) as Visited
        const result = super.visit({ ...node, operand: literal(plain(operand)) }, value)
        return (mayHaveFraction(operand) ? withFraction(result) : result) as Visited
      }
      default:
        return super.visit(node, value)
    }
  }
}

/** Returns an own property, or null: inherited ones, such as `constructor`, are not fields of a message. */
function fieldOf(value: unknown, name: string): unknown {
  if (!isMessageObject(value)) return null
  return Object.hasOwn(value, name) ? ((value as Record<string, unknown>)[name] ?? null) : null
}

/** Returns the arguments of a comparing function with an expression that gives doubles for numbers such as `2.0`. */
function withNarrowKeys<Args extends readonly unknown[]>([list, key, ...rest]: Args): Args {
  const narrow = { type: 'Function', name: NARROW, children: [{ type: 'Current' }] }
  return [list, { type: 'Pipe', left: key, right: narrow, expref: true }, ...rest] as unknown as Args
}

/** Returns the value with doubles for numbers such as `2.0` at any depth. */
function withoutFractions(value: unknown): unknown {
  if (!isObjectOrArray(value)) return narrowFraction(value)
  if (Array.isArray(value)) return value.map(withoutFractions)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutFractions(inner)]))
}

function literal(value: unknown): ExpressionNode {
  return { type: 'Literal', value } as ExpressionNode
}

function mayHaveFraction(value: unknown): boolean {
  return value instanceof WholeFraction || (typeof value === 'number' && !Number.isInteger(value))
}

/** Returns a whole result of numbers with fractions as such, so that a new column for it is not one of integers. */
function withFraction(result: unknown): unknown {
  return Number.isSafeInteger(result) ? new WholeFraction(`${String(result)}.0`) : result
}

function plain(value: unknown): unknown {
  return isNumber(value) ? toDouble(value) : value
}

/** Returns null when the two have no order, and `undefined` when the library must compare nested values. */
function compareValues(name: string, left: unknown, right: unknown): boolean | null | undefined {
  const numbers = isNumber(left) && isNumber(right)
  if (name === 'EQ' || name === 'NE') {
    if (numbers) return (compareNumbers(left, right) === 0) === (name === 'EQ')
    const nested = typeof left === 'object' && typeof right === 'object' && left !== null && right !== null
    return nested ? undefined : (left === right) === (name === 'EQ')
  }
  if (!numbers) return null
  const order = compareNumbers(left, right)
  switch (name) {
    case 'GT':
      return order > 0
    case 'GTE':
      return order >= 0
    case 'LT':
      return order < 0
    default:
      return order <= 0
  }
}

/**
 * Returns sums, differences and products of integers of which at least one exceeds a double, or `undefined` for other
 * operands.
 */
function calculateExactly(operator: string, left: unknown, right: unknown): AnyNumber | undefined {
  if (typeof left !== 'bigint' && typeof right !== 'bigint') return undefined
  if (!isInteger(left) || !isInteger(right)) return undefined
  switch (operator) {
    case 'Plus':
      return narrowInteger(BigInt(left) + BigInt(right))
    case 'Minus':
      return narrowInteger(BigInt(left) - BigInt(right))
    case 'Multiply':
    case 'Star':
      return narrowInteger(BigInt(left) * BigInt(right))
    default:
      return undefined
  }
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}
