import type { ExpressionNode } from '../../config/transforms/expression.ts'
import { Exact } from '../core/exact.ts'
import { Interpreter } from './interpreter.ts'
import { type FunctionTable } from './function-table.ts'

/** A compiled expression. */
export interface Expression {
  readonly text: string
  /** What the expression gives for a message; null where it gives nothing. Throws where it cannot be evaluated. */
  evaluate(message: unknown): unknown
}

/** Makes expressions that share a set of functions; a topic has one. */
export class Expressions {
  readonly #interpreter: Interpreter

  constructor(functions: FunctionTable) {
    this.#interpreter = new Interpreter(functions)
  }

  /** An expression of its tree, which `parseExpression` makes and checks. */
  of(text: string, node: ExpressionNode): Expression {
    const interpreter = this.#interpreter
    const direct = pathOf(node)
    if (direct !== undefined) return { text, evaluate: (message) => valueAt(message, direct) }
    return {
      text,
      evaluate: (message) => {
        const value: unknown = interpreter.search(node, message as Parameters<Interpreter['search']>[1])
        return value ?? null
      },
    }
  }
}

/** Whether a value is true to JMESPath: anything but null, false, and empty text, lists and objects. */
export function isTruthy(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return false
  if (typeof value !== 'object' || value instanceof Exact) return true
  return (Array.isArray(value) ? value : Object.keys(value)).length > 0
}

/** The names of an expression that is nothing but names with dots between them, the most common. */
export function pathOf(node: ExpressionNode): readonly string[] | undefined {
  if (node.type === 'Field') return [node.name]
  if (node.type !== 'Subexpression') return undefined
  const left = pathOf(node.left)
  const right = pathOf(node.right)
  return left === undefined || right === undefined ? undefined : [...left, ...right]
}

/** The value at a path of own properties; null where there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found: unknown = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found) || found instanceof Exact)
      return null
    if (!Object.hasOwn(found, name)) return null
    found = (found as Record<string, unknown>)[name]
  }
  return found ?? null
}
