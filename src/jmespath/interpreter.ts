import { TreeInterpreter } from '@jmespath-community/jmespath'
import type { ExpressionNode } from '../../config/transforms/expression.ts'
import { Exact } from '../core/exact.ts'
import { BUILT_IN } from './built-in.ts'
import { compareNumbers, doubleOf, integerOf, isNumber, type AnyNumber } from './numbers.ts'
import type { FunctionTable } from './function-table.ts'

type Visited = Parameters<(typeof TreeInterpreter)['visit']>[1]
type Scope = Parameters<(typeof TreeInterpreter)['withScope']>[0]

/** The library exports one interpreter for the whole process; its class gives us one with functions of its own. */
const Base = TreeInterpreter.constructor as new () => typeof TreeInterpreter

/** What an interpreter knows of where it stands, which its class keeps to itself. */
interface Standing {
  _rootValue: unknown
  _scope: { withScope(scope: Scope): Standing['_scope'] }
}

/**
 * The library's interpreter, with functions of ours, and for messages as we have them: fields are own properties alone,
 * integers beyond 2^53 (`bigint`) and what no double holds (`Exact`) are numbers.
 */
export class Interpreter extends Base {
  readonly #functions: FunctionTable

  constructor(functions: FunctionTable) {
    super()
    this.#functions = functions
    const library = this.runtime.callFunction.bind(this.runtime)
    this.runtime.callFunction = (name, args) => {
      const own = functions.get(name) ?? BUILT_IN.get(name)
      // What is no JSON to the library is a value like any other to us.
      return own === undefined ? library(name, args) : (own(args) as ReturnType<typeof library>)
    }
  }

  override withScope(scope: Scope): typeof TreeInterpreter {
    const inner = new Interpreter(this.#functions)
    const from = this as unknown as Standing
    const to: Standing = inner as unknown as Standing
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
        const compared = comparedValues(node.name, left, right)
        if (compared !== undefined) return compared
        return super.visit({ ...node, left: literal(left), right: literal(right) }, value)
      }
      case 'Arithmetic': {
        const left: unknown = this.visit(node.left, value)
        const right: unknown = this.visit(node.right, value)
        const exact = calculated(node.operator, left, right)
        if (exact !== undefined) return exact as Visited
        return super.visit({ ...node, left: literal(plain(left)), right: literal(plain(right)) }, value)
      }
      case 'Unary': {
        const operand: unknown = this.visit(node.operand, value)
        if (typeof operand === 'bigint')
          return (node.operator === 'Minus' ? integerOf(-operand) : operand) as Visited
        return super.visit({ ...node, operand: literal(plain(operand)) }, value)
      }
      default:
        return super.visit(node, value)
    }
  }
}

/** An own property: `constructor` and its kin are no fields of a message that does not carry them. */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Exact)
    return null
  return Object.hasOwn(value, name) ? ((value as Record<string, unknown>)[name] ?? null) : null
}

function literal(value: unknown): ExpressionNode {
  return { type: 'Literal', value } as ExpressionNode
}

function plain(value: unknown): unknown {
  return isNumber(value) ? doubleOf(value) : value
}

/** Null where there is no order between the two; `undefined` where the library has to look into them. */
function comparedValues(name: string, left: unknown, right: unknown): boolean | null | undefined {
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

/** Sums, differences and products of integers of which a double does not hold one; `undefined` for all others. */
function calculated(operator: string, left: unknown, right: unknown): AnyNumber | undefined {
  if (typeof left !== 'bigint' && typeof right !== 'bigint') return undefined
  if (!isInteger(left) || !isInteger(right)) return undefined
  switch (operator) {
    case 'Plus':
      return integerOf(BigInt(left) + BigInt(right))
    case 'Minus':
      return integerOf(BigInt(left) - BigInt(right))
    case 'Multiply':
    case 'Star':
      return integerOf(BigInt(left) * BigInt(right))
    default:
      return undefined
  }
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}
