import { isNull, type Column, type Columns } from '../../arrow/column.ts'
import { indexNamed } from '../../arrow/gather.ts'
import { valueAt } from '../../arrow/values.ts'
import { shown } from '../../arrow/column-builder.ts'
import { PipelineError } from '../../core/errors.ts'
import type { DataType, StructField, StructType } from '../../core/schema.ts'
import { columnAt } from '../../sql/expression/columns.ts'
import { SqlError } from '../../sql/expression/error.ts'
import type { Source } from '../../sql/expression/term.ts'
import type { Metadata } from '../protocol/actions.ts'
import { constraintsOf, demandOf, type Constraint } from './constraints.ts'

/** What breaks a constraint in a row, in words; `undefined` when nothing does. */
type Test = (row: number) => string | undefined

/** A constraint that is ready for rows. */
export interface CompiledConstraint {
  readonly constraint: Constraint
  /** Makes ready for the rows of one batch; `undefined` when none of them can break it. */
  bind(source: Source): Test | undefined
}

/**
 * Makes constraints ready for rows of any columns of the table: those that a row lacks count as null, those of a type that
 * was widened since as the wider one.
 * @throws KD_TABLE_UNSUPPORTED naming each constraint that cannot be evaluated, with its expression
 */
export function compileConstraints(
  constraints: readonly Constraint[],
  schema: StructType,
): readonly CompiledConstraint[] {
  const faults: string[] = []
  const compiled = constraints.flatMap((constraint) => {
    try {
      return [compiledOne(constraint, schema)]
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

/** The constraints of a table, ready for rows; made once for the same metadata. Throws what `compileConstraints` throws. */
export function compiledConstraints(
  metadata: Pick<Metadata, 'schema' | 'configuration'>,
): readonly CompiledConstraint[] {
  const known = COMPILED.get(metadata)
  if (known !== undefined) return known
  const made = compileConstraints(constraintsOf(metadata), metadata.schema)
  COMPILED.set(metadata, made)
  return made
}

/** Which constraints rows are known to satisfy. */
const SATISFIED = new WeakMap<Columns, readonly CompiledConstraint[]>()

/** Notes that all of these rows satisfy `constraints`, so that they need not be checked again for the same table. */
export function noteSatisfied(columns: Columns, constraints: readonly CompiledConstraint[]): void {
  SATISFIED.set(columns, constraints)
}

/**
 * What rows that were checked before break of the constraints that the table has now, in words; `undefined` where it has
 * the same still, or they satisfy those as well.
 */
export function brokenSince(
  columns: Columns,
  metadata: Pick<Metadata, 'schema' | 'configuration'>,
  nowMs: number,
): string | undefined {
  const constraints = compiledConstraints(metadata)
  if (constraints.length === 0 || SATISFIED.get(columns) === constraints) return undefined
  const [first] = brokenRows(constraints, columns, nowMs).values()
  if (first === undefined) noteSatisfied(columns, constraints)
  return first
}

/**
 * The rows that break a constraint, ascending, each with the first one it breaks: its name, its expression and the values
 * of its columns. A row for which an expression has no value (a division by zero, an overflow) breaks it.
 */
export function brokenRows(
  constraints: readonly CompiledConstraint[],
  columns: Columns,
  nowMs: number,
): ReadonlyMap<number, string> {
  const tests = constraints.flatMap((constraint) => constraint.bind({ columns, nowMs }) ?? [])
  const broken = new Map<number, string>()
  if (tests.length === 0) return broken
  for (let row = 0; row < columns.length; row++) {
    for (const test of tests) {
      const fault = test(row)
      if (fault === undefined) continue
      broken.set(row, fault)
      break
    }
  }
  return broken
}

function compiledOne(constraint: Constraint, schema: StructType): CompiledConstraint {
  if (constraint.kind === 'notNull')
    return { constraint, bind: ({ columns }) => firstOf(rootTests(schema, columns)) }
  const { term, columns: paths } = demandOf(constraint, schema)
  const what = `${constraint.name} (${constraint.expression})`
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
          return `${what} has no value: ${error.message}, with ${values(row)}`
        }
        return `${what} is broken by ${values(row)}`
      }
    },
  }
}

function valueText(columns: Columns, path: readonly string[], row: number): string {
  const column = columnAt(columns, path)
  return `${path.join('.')} = ${column === undefined ? 'null' : shown(valueAt(column, row))}`
}

function firstOf(tests: readonly Test[]): Test | undefined {
  if (tests.length === 0) return undefined
  return (row) => {
    for (const test of tests) {
      const fault = test(row)
      if (fault !== undefined) return fault
    }
    return undefined
  }
}

function rootTests(schema: StructType, { schema: given, columns, length }: Columns): readonly Test[] {
  return schema.fields.flatMap((field) => {
    const column = columns[indexNamed(given.fields, field.name)]
    return fieldTests(field, column, field.name, length)
  })
}

/** NOT NULL of a field, and what stands in it. The column of a field of a struct is null where the struct is. */
function fieldTests(
  { type, nullable }: StructField,
  column: Column | undefined,
  path: string,
  length: number,
): readonly Test[] {
  const tests: Test[] = []
  if (!nullable && length > 0 && (column === undefined || column.valid !== undefined))
    tests.push((row) =>
      column === undefined || isNull(column, row) ? `column ${path} is NOT NULL, got null` : undefined,
    )
  return column === undefined ? tests : [...tests, ...innerTests(type, column, path)]
}

function innerTests(type: DataType, column: Column, path: string): readonly Test[] {
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
  return column.children[indexNamed(fields, name)]
}

/** Elements between a row's offsets. In one that is null itself, fields that are NOT NULL demand nothing. */
function elementTests(
  offsets: Int32Array,
  child: Column,
  type: DataType,
  nullable: boolean,
  path: string,
): readonly Test[] {
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
