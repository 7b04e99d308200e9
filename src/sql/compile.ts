import type { DataType, StructType } from '../core/schema.ts'
import type { Expression } from './expression/ast.ts'
import { castTerm } from './expression/cast.ts'
import { columnTerm, resolveColumn } from './expression/columns.ts'
import { SqlError } from './expression/error.ts'
import { FUNCTIONS } from './functions/functions.ts'
import { caseTerm, conditionOf } from './functions/logic.ts'
import { parseExpression } from './parse/parse.ts'
import { constantTerm, type Term } from './expression/term.ts'

/** An expression that is ready for rows of a table. */
export interface Compiled {
  readonly term: Term
  /** The columns that it reads, by their exact names, each once. */
  readonly columns: readonly (readonly string[])[]
  /** Whether it asks what time it is. */
  readonly asksTime: boolean
}

/**
 * Reads and types a Spark SQL expression over the columns of `schema`. It means what Spark 4 makes of it with its
 * defaults: ANSI rules, names of columns in any case, text by its bytes; and timestamps are in UTC, since a table does not
 * record the session's time zone.
 * @throws SqlError naming the piece that cannot be evaluated exactly as Spark does
 */
export function compileExpression(text: string, schema: StructType): Compiled {
  return compileParsed(parseExpression(text), schema)
}

/**
 * An expression as a value of the type that a column has.
 * @throws SqlError as `compileExpression` does, and where its type cannot become that one
 */
export function compileAs(text: string, type: DataType, schema: StructType): Compiled {
  const compiled = compileExpression(text, schema)
  return { ...compiled, term: castTerm(compiled.term, type) }
}

/**
 * A parsed expression that is TRUE, FALSE or NULL.
 * @throws SqlError as `compileExpression` does, and for any other type
 */
export function compileCondition(expression: Expression, schema: StructType): Compiled {
  const compiled = compileParsed(expression, schema)
  return { ...compiled, term: conditionOf(compiled.term, 'a condition') }
}

function compileParsed(expression: Expression, schema: StructType): Compiled {
  const columns = new Map<string, readonly string[]>()
  let asksTime = false
  const termOf = (node: Expression): Term => {
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
        const make = FUNCTIONS.get(node.name)
        if (make === undefined) throw new SqlError(`the function ${node.name} is not supported`)
        asksTime ||= CLOCKS.has(node.name)
        return make(node.args.map(termOf), node.name)
      }
    }
  }
  const term = termOf(expression)
  return { term, columns: [...columns.values()], asksTime }
}

const CLOCKS = new Set(['CURRENT_DATE', 'CURDATE', 'CURRENT_TIMESTAMP', 'NOW'])
