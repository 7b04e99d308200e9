import { BytesBuilder } from '../../arrow/bytes-builder.ts'
import { fixedLayoutOf, isNull, type Column, type Columns, type FixedColumn } from '../../arrow/column.ts'
import { decimalText, unscaledAt } from '../../arrow/decimal.ts'
import { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { fieldIndexOf } from '../../arrow/gather.ts'
import { textAt } from '../../arrow/values.ts'
import { ExactNumber } from '../../core/exact.ts'
import { decimalOf, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import type { SqlValue } from './ast.ts'
import { castFunctionOf, isSameType } from './cast.ts'
import { SqlError } from './error.ts'
import type { RowEvaluator, Term } from './term.ts'

/** Holds the path of a column in a schema, by exact names, and its type. */
interface ResolvedColumn {
  readonly path: readonly string[]
  readonly type: DataType
}

/**
 * Finds a column, or a field of structs, by case-insensitive names, like Spark.
 *
 * @throws SqlError if there is none, or more than one
 */
export function resolveColumn(path: readonly string[], schema: StructType): ResolvedColumn {
  const names: string[] = []
  let type: DataType = schema
  for (const name of path) {
    const where = names.join('.')
    if (typeof type === 'string' || type.type !== 'struct')
      throw new SqlError(`${where} is not a struct, so it has no field ${name}`)
    const found: readonly StructField[] = fieldsNamed(type, name)
    const field = found[0]
    if (field === undefined) throw new SqlError(`there is no column ${[...names, name].join('.')}`)
    if (found.length > 1) throw new SqlError(`there is more than one column ${[...names, name].join('.')}`)
    names.push(field.name)
    type = field.type
  }
  return { path: names, type }
}

function fieldsNamed(type: StructType, name: string): readonly StructField[] {
  const exact = type.fields.filter((field) => field.name === name)
  const folded = name.toLowerCase()
  return exact.length > 0 ? exact : type.fields.filter((field) => field.name.toLowerCase() === folded)
}

/**
 * Returns a term for the values of a column, as the type that the table has; null for every row if the rows
 * do not have the column.
 */
export function columnTerm({ path, type }: ResolvedColumn): Term {
  return {
    type,
    constant: undefined,
    literal: false,
    bind: ({ columns }) => {
      const column = columnAt(columns, path)
      if (column === undefined) return () => null
      const get = getterOf(column)
      if (typeof type !== 'string' || isSameType(column.type, type)) return get
      // The rows have an older schema than the table, whose column was widened since.
      const cast = castFunctionOf(column.type, type)
      return (row) => {
        const value = get(row)
        return value === null ? null : cast(value)
      }
    },
  }
}

/** Returns the column at a path of exact names, or `undefined`. */
export function columnAt({ schema, columns }: Columns, path: readonly string[]): Column | undefined {
  let fields: readonly StructField[] = schema.fields
  let children: readonly Column[] = columns
  let found: Column | undefined
  for (const name of path) {
    found = children[fieldIndexOf(fields, name)]
    if (found === undefined) return undefined
    children = found.kind === 'struct' ? found.children : []
    fields = typeof found.type !== 'string' && found.type.type === 'struct' ? found.type.fields : []
  }
  return found
}

function getterOf(column: Column): RowEvaluator {
  const get = presentGetter(column)
  return column.valid === undefined ? get : (row) => (isNull(column, row) ? null : get(row))
}

function presentGetter(column: Column): RowEvaluator {
  switch (column.kind) {
    case 'fixed':
      return fixedGetter(column)
    case 'bytes':
      return column.type === 'binary'
        ? (row) => column.bytes.subarray(column.offsets[row], column.offsets[row + 1])
        : (row) => textAt(column, row)
    case 'struct':
      return () => true
    default:
      return (row) => (column.offsets[row + 1] as number) - (column.offsets[row] as number)
  }
}

function fixedGetter({ type, values, words }: FixedColumn): RowEvaluator {
  if (words === 4) return (row) => unscaledAt(values, row * 4)
  if (words === 2) {
    const aligned = values.byteOffset % 8 === 0 ? values : values.slice()
    const longs = new BigInt64Array(aligned.buffer, aligned.byteOffset, aligned.length / 2)
    return (row) => longs[row] as bigint
  }
  return type === 'boolean' ? (row) => values[row] === 1 : (row) => values[row] as number
}

/** Collects values of evaluated expressions into a column. */
interface ValueBuilder {
  append(value: SqlValue): void
  finish(): Column
}

/** Creates a builder for a column of a primitive type. */
export function createValueBuilder(type: DataType): ValueBuilder {
  const decimal = decimalOf(type)
  if (fixedLayoutOf(type) === undefined) {
    const bytes = new BytesBuilder(type)
    return {
      append: (value) => {
        const fault = bytes.append(value)
        if (fault !== undefined) throw new SqlError(fault)
      },
      finish: () => bytes.finish(),
    }
  }
  const fixed = new FixedBuilder(type)
  const put = (value: number | bigint | boolean): void => {
    if (decimal !== undefined) fixed.append(new ExactNumber(decimalText(value as bigint, decimal.scale)))
    else if (typeof value === 'bigint')
      fixed.appendPair(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
    else fixed.appendNumber(Number(value))
  }
  return {
    append: (value) => {
      if (value === null) fixed.appendNull()
      else put(value as number | bigint | boolean)
    },
    finish: () => fixed.finish(),
  }
}
