import type { ExpressionNode } from '../../config/transforms/expression.ts'
import { ExactNumber, isMessageObject } from '../core/exact.ts'
import { Interpreter } from './interpreter.ts'
import { type FunctionTable } from './function-table.ts'

/** Describes a compiled JMESPath expression. */
export interface Expression<Context> {
  readonly text: string
  readonly node: ExpressionNode
  /**
   * Returns the result for a message, or null when there is none; functions receive `context`. Throws when the
   * expression cannot be evaluated.
   */
  evaluate(message: unknown, context: Context): unknown
}

/** Compiles expressions that share one set of functions. A topic has one compiler. */
export class ExpressionCompiler<Context> {
  readonly #interpreter: Interpreter<Context>

  constructor(functions: FunctionTable<Context>) {
    this.#interpreter = new Interpreter(functions)
  }

  /** Returns the result of a function of expressions, with its checks. Throws when it refuses its arguments. */
  call(name: string, args: readonly unknown[], context: Context): unknown {
    return this.#interpreter.call(name, args, context)
  }

  /** Returns the compiled expression of a syntax tree that `parseJmesPath` has produced and checked. */
  compile(text: string, node: ExpressionNode): Expression<Context> {
    const interpreter = this.#interpreter
    const direct = fieldPathOf(node)
    if (direct !== undefined) return { text, node, evaluate: (message) => valueAtPath(message, direct) }
    return {
      text,
      node,
      evaluate: (message, context) => interpreter.evaluate(node, message, context) ?? null,
    }
  }
}

/** Returns true for every value but null, false, and empty text, lists and objects, as JMESPath defines it. */
export function isTruthy(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return false
  if (typeof value !== 'object' || value instanceof ExactNumber) return true
  return (Array.isArray(value) ? value : Object.keys(value)).length > 0
}

/**
 * Returns the names of an expression that consists only of names joined by dots, which is the most common form.
 * Returns `undefined` for any other expression.
 */
export function fieldPathOf(node: ExpressionNode): readonly string[] | undefined {
  if (node.type === 'Field') return [node.name]
  if (node.type !== 'Subexpression') return undefined
  const left = fieldPathOf(node.left)
  const right = fieldPathOf(node.right)
  return left === undefined || right === undefined ? undefined : [...left, ...right]
}

/** Returns the value at a path of own properties, or null when a step is missing. */
export function valueAtPath(value: unknown, path: readonly string[]): unknown {
  let found: unknown = value
  for (const name of path) {
    if (!isMessageObject(found) || !Object.hasOwn(found, name)) return null
    found = (found as Record<string, unknown>)[name]
  }
  return found ?? null
}
