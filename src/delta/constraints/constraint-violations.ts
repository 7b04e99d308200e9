import { isNull, type Column, type Columns } from '../../arrow/column.ts'
import { fieldIndexOf } from '../../arrow/gather.ts'
import { valueAt } from '../../arrow/values.ts'
import { describeValue } from '../../arrow/column-builder.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import { columnAt } from '../../sql/expression/columns.ts'
import { SqlError } from '../../sql/expression/error.ts'
import type { EvaluationInput } from '../../sql/expression/term.ts'
import type { Metadata } from '../protocol/actions.ts'
import { constraintsOf, compileConstraintCondition, type Constraint } from './constraints.ts'

/** Returns how a row violates a constraint, in words, or `undefined` if it does not. */
export type ViolationTest = (row: number) => string | undefined

/** Evaluates one constraint on rows. */
export interface CompiledConstraint {
  readonly constraint: Constraint
  /** Prepares the constraint for the rows of one batch; returns `undefined` if no row can violate it. */
  bind(source: EvaluationInput): ViolationTest | undefined
}

/**
 * Compiles constraints for rows with any columns of the table: missing columns count as null, and columns of a narrower
 * type are read as the wider type of the table.
 * @throws KD_TABLE_UNSUPPORTED naming each constraint that cannot be evaluated, with its expression
 */
export function compileConstraints(
  constraints: readonly Constraint[],
  schema: StructType,
): readonly CompiledConstraint[] {
  const faults: string[] = []
  const compiled = constraints.flatMap((constraint) => {
    try {
      return [compileOne(constraint, schema)]
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      faults.push(`${constraint.name} (${constraint.expression}: ${error.message})`)
      return []
    }
  })
  if (faults.length > 0)
    throw new PipelineError('KD_TABLE_UNSUPPORTED', `cannot evaluate ${faults.join('; ')}`)
  return compiled
}

const COMPILED = new WeakMap<Pick<Metadata, 'schema' | 'configuration'>, readonly CompiledConstraint[]>()

/**
 * Compiles the constraints of a table; the result is cached per metadata object.
 * @throws KD_TABLE_UNSUPPORTED like `compileConstraints`
 */
export function compileTableConstraints(
  metadata: Pick<Metadata, 'schema' | 'configuration'>,
): readonly CompiledConstraint[] {
  const cached = COMPILED.get(metadata)
  if (cached !== undefined) return cached
  const compiled = compileConstraints(constraintsOf(metadata), metadata.schema)
  COMPILED.set(metadata, compiled)
  return compiled
}

/** Constraints that the rows are known to satisfy. */
const SATISFIED = new WeakMap<Columns, readonly CompiledConstraint[]>()

/** Records that all rows satisfy `constraints`, so that they are not checked again for the same table. */
export function markSatisfied(columns: Columns, constraints: readonly CompiledConstraint[]): void {
  SATISFIED.set(columns, constraints)
}

/**
 * Checks rows again if the constraints of the table have changed since they were checked. Returns the first violation
 * in words, or `undefined`.
 */
export function recheckConstraints(
  columns: Columns,
  metadata: Pick<Metadata, 'schema' | 'configuration'>,
  nowMs: number,
): string | undefined {
  const constraints = compileTableConstraints(metadata)
  if (constraints.length === 0 || SATISFIED.get(columns) === constraints) return undefined
  const [first] = findViolations(constraints, columns, nowMs).values()
  if (first === undefined) markSatisfied(columns, constraints)
  return first
}

/**
 * Returns the rows that violate a CHECK constraint, an invariant, a generated column or NOT NULL, ascending, each with
 * its first violation: the constraint's name, its expression and the values of its columns. The operator `constrain`
 * turns these rows into dead letters. A row for which an expression has no value (division by zero, overflow) violates
 * it.
 */
export function findViolations(
  constraints: readonly CompiledConstraint[],
  columns: Columns,
  nowMs: number,
): ReadonlyMap<number, string> {
  const tests = constraints.flatMap((constraint) => constraint.bind({ columns, nowMs }) ?? [])
  const violations = new Map<number, string>()
  if (tests.length === 0) return violations
  for (let row = 0; row < columns.length; row++) {
    for (const test of tests) {
      const fault = test(row)
      if (fault === undefined) continue
      violations.set(row, fault)
      break
    }
  }
  return violations
}

function compileOne(constraint: Constraint, schema: StructType): CompiledConstraint {
  if (constraint.kind === 'notNull')
    return { constraint, bind: ({ columns }) => firstOf(rootTests(schema, columns)) }
  const { term, columns: paths } = compileConstraintCondition(constraint, schema)
  const label = `${constraint.name} (${constraint.expression})`
  return {
    constraint,
    bind: (source) => {
      const get = term.bind(source)
      const values = (row: number): string =>
        paths.map((path) => valueText(source.columns, path, row)).join(', ')
      return (row) => {
        try {
          if (get(row) === true) return undefined
        } catch (error) {
          if (!(error instanceof SqlError)) throw error
          return `${label} has no value: ${error.message}, with ${values(row)}`
        }
        return `${label} is violated by ${values(row)}`
      }
    },
  }
}

function valueText(columns: Columns, path: readonly string[], row: number): string {
  const column = columnAt(columns, path)
  return `${path.join('.')} = ${column === undefined ? 'null' : describeValue(valueAt(column, row))}`
}

function firstOf(tests: readonly ViolationTest[]): ViolationTest | undefined {
  if (tests.length === 0) return undefined
  return (row) => {
    for (const test of tests) {
      const fault = test(row)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

function rootTests(
  schema: StructType,
  { schema: given, columns, length }: Columns,
): readonly ViolationTest[] {
  return schema.fields.flatMap((field) => {
    const column = columns[fieldIndexOf(given.fields, field.name)]
    return fieldTests(field, column, field.name, length)
  })
}

/**
 * Returns the NOT NULL tests of a field and of its nested fields. The column of a struct's field is null where the
 * struct is null.
 */
function fieldTests(
  { type, nullable }: StructField,
  column: Column | undefined,
  path: string,
  length: number,
): readonly ViolationTest[] {
  const tests: ViolationTest[] = []
  if (!nullable && length > 0 && (column === undefined || column.valid !== undefined))
    tests.push((row) =>
      column === undefined || isNull(column, row) ? `column ${path} is NOT NULL, got null` : undefined,
    )
  return column === undefined ? tests : [...tests, ...innerTests(type, column, path)]
}

function innerTests(type: DataType, column: Column, path: string): readonly ViolationTest[] {
  if (typeof type === 'string') return []
  if (type.type === 'struct' && column.kind === 'struct')
    return type.fields.flatMap((field) =>
      fieldTests(field, childNamed(column, field.name), `${path}.${field.name}`, column.length),
    )
  if (type.type === 'array' && column.kind === 'list') {
    const { elementType, containsNull } = type
    return elementTests(column.offsets, column.child, elementType, containsNull, `${path}.element`)
  }
  if (type.type === 'map' && column.kind === 'map') {
    return [
      ...elementTests(column.offsets, column.keys, type.keyType, false, `${path}.key`),
      ...elementTests(column.offsets, column.values, type.valueType, type.valueContainsNull, `${path}.value`),
    ]
  }
  return []
}

function childNamed(column: Column & { readonly kind: 'struct' }, name: string): Column | undefined {
  const fields = typeof column.type !== 'string' && column.type.type === 'struct' ? column.type.fields : []
  return column.children[fieldIndexOf(fields, name)]
}

/** Tests the elements between a row's offsets. NOT NULL fields of an element that is null itself are not tested. */
function elementTests(
  offsets: Int32Array,
  child: Column,
  type: DataType,
  nullable: boolean,
  path: string,
): readonly ViolationTest[] {
  const inner = firstOf(innerTests(type, child, path))
  const own = !nullable && child.valid !== undefined
  if (inner === undefined && !own) return []
  return [
    (row) => {
      for (let i = offsets[row] as number; i < (offsets[row + 1] as number); i++) {
        const missing = isNull(child, i)
        if (missing && own) return `column ${path} is NOT NULL, got null`
        const fault = missing ? undefined : inner?.(i)
        if (fault !== undefined) return fault
      }
      return undefined
    },
  ]
}
