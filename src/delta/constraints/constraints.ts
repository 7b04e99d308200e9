import type { DataType, StructField, StructType } from '../../core/schema.ts'
import {
  compileExpression,
  compileExpressionAs,
  compileCondition,
  type CompiledSqlExpression,
} from '../../sql/compile.ts'
import { SqlError } from '../../sql/expression/error.ts'
import { parseSqlExpression } from '../../sql/parse/parse.ts'
import type { Metadata } from '../protocol/actions.ts'
import { checkConstraintNameOf } from '../protocol/table-properties.ts'

/** Describes a condition that every row of a table must satisfy. */
export interface Constraint {
  /**
   * `check`: a CHECK constraint. `invariant`: an invariant of a column. `generated`: a generated column equals its
   * expression. `length`: text is within the length of its `varchar`. `notNull`: all NOT NULLs of the schema, nested
   * ones included.
   */
  readonly kind: 'check' | 'invariant' | 'generated' | 'length' | 'notNull'
  /** Name in messages: `CHECK constraint positive`, `generated column day`. */
  readonly name: string
  /**
   * Spark SQL expression that must be TRUE for each row; for a generated column, the expression of its value. Empty for
   * `notNull`.
   */
  readonly expression: string
  /** Column of the constraint, by its path in the schema. */
  readonly column?: readonly string[]
}

/** Describes a column that is computed from others. Spec: "Generated Columns". */
interface GeneratedColumn {
  readonly field: StructField
  readonly expression: string
}

/** Describes a column with a default value. Spec: "Default Columns". */
interface DefaultColumn {
  readonly field: StructField
  readonly expression: string
}

const NO_COLUMNS: StructType = { type: 'struct', fields: [] }

type ConstrainedMetadata = Pick<Metadata, 'schema' | 'configuration'>

/**
 * Returns all constraints of a table, in the order of its properties and columns. A row satisfies an expression only if
 * it is TRUE: FALSE and NULL violate a CHECK constraint as well as an invariant, because the specification requires
 * `true`, and so does Spark (unlike SQL, where NULL passes a CHECK). NOT NULL of a struct's field requires the struct
 * as well. Spec: "CHECK Constraints", "Column Invariants", "Generated Columns".
 */
export function constraintsOf({ schema, configuration }: ConstrainedMetadata): readonly Constraint[] {
  const checks = Object.entries(configuration).flatMap(([key, expression]): readonly Constraint[] => {
    const name = checkConstraintNameOf(key)
    return name === undefined ? [] : [{ kind: 'check', name: `CHECK constraint ${name}`, expression }]
  })
  return [...notNullConstraints(schema), ...checks, ...columnConstraints(schema, [])]
}

/** Returns the generated columns of a table, in schema order. Spec: "Generated Columns". */
export function generatedColumnsOf({
  schema,
}: Pick<ConstrainedMetadata, 'schema'>): readonly GeneratedColumn[] {
  return columnsWithExpression(schema, 'delta.generationExpression')
}

/** Returns the columns of a table that have a default, in schema order. Spec: "Default Columns". */
export function defaultColumnsOf({ schema }: Pick<ConstrainedMetadata, 'schema'>): readonly DefaultColumn[] {
  return columnsWithExpression(schema, 'CURRENT_DEFAULT')
}

function columnsWithExpression(
  schema: StructType,
  key: string,
): readonly { readonly field: StructField; readonly expression: string }[] {
  return schema.fields.flatMap((field) => {
    const expression = field.metadata[key]
    return typeof expression === 'string' ? [{ field, expression }] : []
  })
}

function notNullConstraints(schema: StructType): readonly Constraint[] {
  return hasNotNull(schema) ? [{ kind: 'notNull', name: 'NOT NULL', expression: '' }] : []
}

function hasNotNull(type: DataType): boolean {
  if (typeof type === 'string') return false
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => !field.nullable || hasNotNull(field.type))
    case 'array':
      return !type.containsNull || hasNotNull(type.elementType)
    case 'map':
      return !type.valueContainsNull || hasNotNull(type.keyType) || hasNotNull(type.valueType)
  }
}

/** Returns the constraints of columns and struct fields. Inside arrays and maps none could be evaluated. */
function columnConstraints(type: StructType, parents: readonly string[]): readonly Constraint[] {
  return type.fields.flatMap((field) => {
    const path = [...parents, field.name]
    const own = [...invariantOf(field, path), ...generationOf(field, path), ...lengthOf(field, path)]
    const nested = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type : undefined
    return nested === undefined ? own : [...own, ...columnConstraints(nested, path)]
  })
}

/**
 * Returns the invariant of a field, whose expression is JSON within JSON. A malformed text is kept as an invalid
 * expression, so that the table is refused by the name of the column.
 */
function invariantOf({ metadata }: StructField, column: readonly string[]): readonly Constraint[] {
  const text = metadata['delta.invariants']
  if (text === undefined) return []
  let expression = `'delta.invariants' without {"expression": {"expression": …}}`
  try {
    const rule = (
      JSON.parse(typeof text === 'string' ? text : '') as { expression?: { expression?: unknown } } | null
    )?.expression
    if (typeof rule?.expression === 'string') expression = rule.expression
  } catch {
    // Not JSON: refused like any other malformed text.
  }
  return [{ kind: 'invariant', name: `invariant of column ${column.join('.')}`, expression, column }]
}

function generationOf({ metadata }: StructField, column: readonly string[]): readonly Constraint[] {
  const expression = metadata['delta.generationExpression']
  if (typeof expression !== 'string') return []
  return [{ kind: 'generated', name: `generated column ${column.join('.')}`, expression, column }]
}

/**
 * Returns the length constraint of a column. Spark stores `varchar(n)` beside the type `string` and guarantees the
 * length to readers.
 */
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
 * Compiles the condition that must be TRUE for each row, over the columns of the table.
 * @throws SqlError naming the part that cannot be evaluated
 */
export function compileConstraintCondition(
  { kind, expression, column }: Constraint,
  schema: StructType,
): CompiledSqlExpression {
  const parsed = parseSqlExpression(expression)
  if (kind !== 'generated' || column === undefined) return compileCondition(parsed, schema)
  const held = { kind: 'column', path: column } as const
  const compiled = compileCondition({ kind: 'call', name: '<=>', args: [held, parsed] }, schema)
  if (compiled.usesClock) throw new SqlError('a generated column cannot depend on the current time')
  return compiled
}

/**
 * Returns the paths of the columns that the expression of a constraint reads, or `undefined` when it cannot be
 * compiled. A generated column is not among its own.
 */
export function columnsReadBy(
  constraint: Constraint,
  schema: StructType,
): readonly (readonly string[])[] | undefined {
  if (constraint.kind === 'notNull') return []
  try {
    return compileExpression(constraint.expression, schema).columns
  } catch (error) {
    if (error instanceof SqlError) return undefined
    throw error
  }
}

/**
 * Returns the constraints, generated columns and defaults of a table that belong to `feature` and cannot be evaluated,
 * in words that begin with the feature and name the constraint or column and its expression.
 */
export function findUnenforceableExpressions(
  feature: string,
  metadata: ConstrainedMetadata,
): readonly string[] {
  switch (feature) {
    case 'checkConstraints':
      return faultsOf(feature, metadata, 'check')
    case 'invariants':
      return faultsOf(feature, metadata, 'invariant')
    case 'generatedColumns':
      return faultsOf(feature, metadata, 'generated')
    case 'allowColumnDefaults':
      return defaultColumnsOf(metadata).flatMap(({ field, expression }) => {
        const fault = faultOf(() => compileExpressionAs(expression, field.type, NO_COLUMNS))
        return fault === undefined ? [] : [`${feature} (column ${field.name}: ${expression}: ${fault})`]
      })
    default:
      return []
  }
}

function faultsOf(
  feature: string,
  metadata: ConstrainedMetadata,
  kind: Constraint['kind'],
): readonly string[] {
  return constraintsOf(metadata).flatMap((constraint) => {
    if (constraint.kind !== kind) return []
    const fault = faultOf(() => compileConstraintCondition(constraint, metadata.schema))
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
