import type { DataType, StructType } from '../core/schema.ts'
import type { SqlExpression } from './expression/ast.ts'
import { castTerm } from './expression/cast.ts'
import { columnTerm, resolveColumn } from './expression/columns.ts'
import { SqlError } from './expression/error.ts'
import { SQL_FUNCTIONS } from './functions/functions.ts'
import { caseTerm, requireCondition } from './functions/logic.ts'
import { parseSqlExpression } from './parse/parse.ts'
import { constantTerm, type Term } from './expression/term.ts'

/** Holds a compiled expression that can be evaluated over rows of a table. */
export interface CompiledSqlExpression {
  readonly term: Term
  /** Paths of the columns that it reads, by their exact names, each once. */
  readonly columns: readonly (readonly string[])[]
  /** True if it reads the current time. */
  readonly usesClock: boolean
}

/**
 * Parses and type-checks a Spark SQL expression over the columns of `schema`. It follows Spark 4 with its
 * defaults: ANSI rules, case-insensitive column names, text compared by its bytes. Timestamps are in UTC,
 * because a table does not record the session time zone.
 *
 * @throws SqlError naming the part that cannot be evaluated exactly as Spark does
 */
export function compileExpression(text: string, schema: StructType): CompiledSqlExpression {
  return compileParsed(parseSqlExpression(text), schema)
}

/**
 * Compiles an expression and casts its value to the type of a column.
 *
 * @throws SqlError as `compileExpression` does, and if the type cannot be cast
 */
export function compileExpressionAs(text: string, type: DataType, schema: StructType): CompiledSqlExpression {
  const compiled = compileExpression(text, schema)
  return { ...compiled, term: castTerm(compiled.term, type) }
}

/**
 * Compiles a parsed expression that must be boolean or NULL.
 *
 * @throws SqlError as `compileExpression` does, and for any other type
 */
export function compileCondition(expression: SqlExpression, schema: StructType): CompiledSqlExpression {
  const compiled = compileParsed(expression, schema)
  return { ...compiled, term: requireCondition(compiled.term, 'a condition') }
}

function compileParsed(expression: SqlExpression, schema: StructType): CompiledSqlExpression {
  const columns = new Map<string, readonly string[]>()
  let usesClock = false
  const termOf = (node: SqlExpression): Term => {
    switch (node.kind) {
      case 'literal':
        return constantTerm(node.type, node.value, true)
      case 'column': {
        const resolved = resolveColumn(node.path, schema)
        columns.set(resolved.path.join('\0'), resolved.path)
        return columnTerm(resolved)
      }
      case 'cast':
        return castTerm(termOf(node.value), node.type)
      case 'case': {
        const branches = node.branches.map(({ when, then }) => ({ when: termOf(when), then: termOf(then) }))
        return caseTerm(branches, node.otherwise === undefined ? undefined : termOf(node.otherwise))
      }
      case 'call': {
        const make = SQL_FUNCTIONS.get(node.name)
        if (make === undefined) throw new SqlError(`the function ${node.name} is not supported`)
        usesClock ||= CLOCK_FUNCTIONS.has(node.name)
        return make(node.args.map(termOf), node.name)
      }
    }
  }
  const term = termOf(expression)
  return { term, columns: [...columns.values()], usesClock }
}

const CLOCK_FUNCTIONS = new Set(['CURRENT_DATE', 'CURDATE', 'CURRENT_TIMESTAMP', 'NOW'])
