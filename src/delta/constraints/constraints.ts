import type { DataType, StructField, StructType } from '../../core/schema.ts'
import { compileAs, compileCondition, type Compiled } from '../../sql/compile.ts'
import { SqlError } from '../../sql/expression/error.ts'
import { parseExpression } from '../../sql/parse/parse.ts'
import type { Metadata } from '../protocol/actions.ts'

/** What every row of a table must satisfy. */
export interface Constraint {
  /**
   * `check`: a CHECK constraint. `invariant`: a column's own. `generated`: a generated column holds what its expression
   * gives. `length`: text within the length of its `varchar`. `notNull`: all NOT NULLs of the schema, nested ones too.
   */
  readonly kind: 'check' | 'invariant' | 'generated' | 'length' | 'notNull'
  /** As messages and errors name it: `CHECK constraint positive`, `generated column day`. */
  readonly name: string
  /** Spark SQL, of which each row must make TRUE; for a generated column what gives its value. Empty for `notNull`. */
  readonly expression: string
  /** The column that the constraint belongs to, by its path in the schema. */
  readonly column?: readonly string[]
}

/** A column that is computed from others. Spec: "Generated Columns". */
export interface GeneratedColumn {
  readonly field: StructField
  readonly expression: string
}

/** A column that has a value where none is given. Spec: "Default Columns". */
export interface DefaultColumn {
  readonly field: StructField
  readonly expression: string
}

const NO_COLUMNS: StructType = { type: 'struct', fields: [] }

type Carrier = Pick<Metadata, 'schema' | 'configuration'>

const CHECK_PREFIX = 'delta.constraints.'

/**
 * All constraints that a table carries, in the order of its properties and columns. A row satisfies an expression only
 * where that is TRUE: FALSE and NULL break a CHECK constraint as they break an invariant, since a row must make it `true`
 * by the specification, and so does Spark (other than SQL, where NULL passes a CHECK). NOT NULL of a field of a struct asks
 * for the struct as well. Spec: "CHECK Constraints", "Column Invariants", "Generated Columns".
 */
export function constraintsOf({ schema, configuration }: Carrier): readonly Constraint[] {
  const checks = Object.entries(configuration)
    .filter(([key]) => key.toLowerCase().startsWith(CHECK_PREFIX))
    .map(([key, expression]): Constraint => ({
      kind: 'check',
      name: `CHECK constraint ${key.slice(CHECK_PREFIX.length)}`,
      expression,
    }))
  return [...notNulls(schema), ...checks, ...columnConstraints(schema, [])]
}

/** The generated columns of a table, in the order of its columns. Spec: "Generated Columns". */
export function generatedColumns({ schema }: Pick<Carrier, 'schema'>): readonly GeneratedColumn[] {
  return withText(schema, 'delta.generationExpression')
}

/** The columns of a table that have a default, in the order of its columns. Spec: "Default Columns". */
export function defaultColumns({ schema }: Pick<Carrier, 'schema'>): readonly DefaultColumn[] {
  return withText(schema, 'CURRENT_DEFAULT')
}

function withText(
  schema: StructType,
  key: string,
): readonly { readonly field: StructField; readonly expression: string }[] {
  return schema.fields.flatMap((field) => {
    const expression = field.metadata[key]
    return typeof expression === 'string' ? [{ field, expression }] : []
  })
}

function notNulls(schema: StructType): readonly Constraint[] {
  return demandsValues(schema) ? [{ kind: 'notNull', name: 'NOT NULL', expression: '' }] : []
}

function demandsValues(type: DataType): boolean {
  if (typeof type === 'string') return false
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => !field.nullable || demandsValues(field.type))
    case 'array':
      return !type.containsNull || demandsValues(type.elementType)
    case 'map':
      return !type.valueContainsNull || demandsValues(type.keyType) || demandsValues(type.valueType)
  }
}

/** Those of columns and of fields of structs; in arrays and maps there are none that could be evaluated. */
function columnConstraints(type: StructType, parents: readonly string[]): readonly Constraint[] {
  return type.fields.flatMap((field) => {
    const path = [...parents, field.name]
    const own = [...invariantOf(field, path), ...generationOf(field, path), ...lengthOf(field, path)]
    const nested = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type : undefined
    return nested === undefined ? own : [...own, ...columnConstraints(nested, path)]
  })
}

/** The expression stands in JSON within JSON. What is no such text is kept, so that it is refused by its column. */
function invariantOf({ metadata }: StructField, column: readonly string[]): readonly Constraint[] {
  const text = metadata['delta.invariants']
  if (text === undefined) return []
  let expression = `'delta.invariants' that is no {"expression": {"expression": …}}`
  try {
    const rule = (
      JSON.parse(typeof text === 'string' ? text : '') as { expression?: { expression?: unknown } } | null
    )?.expression
    if (typeof rule?.expression === 'string') expression = rule.expression
  } catch {
    // Not JSON: refused like any other text that is no expression.
  }
  return [{ kind: 'invariant', name: `invariant of column ${column.join('.')}`, expression, column }]
}

function generationOf({ metadata }: StructField, column: readonly string[]): readonly Constraint[] {
  const expression = metadata['delta.generationExpression']
  if (typeof expression !== 'string') return []
  return [{ kind: 'generated', name: `generated column ${column.join('.')}`, expression, column }]
}

/** Spark keeps `varchar(n)` beside the type `string`, and so promises its readers the length. */
function lengthOf({ metadata }: StructField, column: readonly string[]): readonly Constraint[] {
  const type = metadata['__CHAR_VARCHAR_TYPE_STRING']
  const match = typeof type === 'string' ? /^(?:var)?char\((\d+)\)$/i.exec(type) : null
  if (match === null) return []
  const name = column.map((part) => `\`${part.replaceAll('`', '``')}\``).join('.')
  return [
    {
      kind: 'length',
      name: `${String(type)} of column ${column.join('.')}`,
      expression: `${name} IS NULL OR length(${name}) <= ${match[1]}`,
      column,
    },
  ]
}

/**
 * What a constraint demands to be TRUE of each row, over the columns of the table.
 * @throws SqlError naming what of it cannot be evaluated
 */
export function demandOf({ kind, expression, column }: Constraint, schema: StructType): Compiled {
  const parsed = parseExpression(expression)
  if (kind !== 'generated' || column === undefined) return compileCondition(parsed, schema)
  const held = { kind: 'column', path: column } as const
  const compiled = compileCondition({ kind: 'call', name: '<=>', args: [held, parsed] }, schema)
  if (compiled.asksTime) throw new SqlError('what changes with time cannot be generated')
  return compiled
}

/**
 * What of a table's constraints, generated columns and defaults cannot be evaluated, in words that begin with the feature
 * and name the constraint or column and the expression; only what the `feature` stands for.
 */
export function unenforceable(feature: string, metadata: Carrier): readonly string[] {
  switch (feature) {
    case 'checkConstraints':
      return faultsOf(feature, metadata, 'check')
    case 'invariants':
      return faultsOf(feature, metadata, 'invariant')
    case 'generatedColumns':
      return faultsOf(feature, metadata, 'generated')
    case 'allowColumnDefaults':
      return defaultColumns(metadata).flatMap(({ field, expression }) => {
        const fault = faultOf(() => compileAs(expression, field.type, NO_COLUMNS))
        return fault === undefined ? [] : [`${feature} (column ${field.name}: ${expression}: ${fault})`]
      })
    default:
      return []
  }
}

function faultsOf(feature: string, metadata: Carrier, kind: Constraint['kind']): readonly string[] {
  return constraintsOf(metadata).flatMap((constraint) => {
    if (constraint.kind !== kind) return []
    const fault = faultOf(() => demandOf(constraint, metadata.schema))
    return fault === undefined ? [] : [`${feature} (${constraint.name}: ${constraint.expression}: ${fault})`]
  })
}

function faultOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof SqlError) return error.message
    throw error
  }
}
