import type { OperatorFunction } from 'rxjs'
import { valueAt } from '../src/arrow/values.ts'
import { isNull, type Column, type Columns } from '../src/arrow/column.ts'
import { fieldIndexOf } from '../src/arrow/gather.ts'
import type { Rows } from '../src/arrow/rows.ts'
import type { Batch } from '../src/core/batch.ts'
import { batchStage } from '../src/core/stage/stage.ts'
import { ExactNumber } from '../src/core/exact.ts'

/** Assigns the rows of a batch to table partitions. */
export interface PartitionedRows {
  readonly rows: Rows
  /** Row `r` belongs to `partitions[labels[r]]`; absent if all rows belong to the first partition. */
  readonly labels: Int32Array | undefined
  /** Table partitions of the batch: the values of the partition columns, in column order, as JSON-like values. */
  readonly partitions: readonly (readonly unknown[])[]
}

/** Assigns rows to table partitions by the values of the partition columns. Batches stay whole; files are split at the flush. */
export function partitionBy(
  partitionColumns: readonly string[],
): OperatorFunction<Batch<Rows>, Batch<PartitionedRows>> {
  return batchStage('partitionBy', (rows) => label(rows, partitionColumns))
}

function label(rows: Rows, names: readonly string[]): PartitionedRows {
  const { columns } = rows
  if (names.length === 0 || columns.length === 0)
    return { rows, labels: undefined, partitions: columns.length === 0 ? [] : [[]] }
  let groups: Groups = { labels: new Int32Array(columns.length), firsts: [0] }
  for (const name of names) groups = refine(groups, columnNamed(columns, name))
  const key = names.map((name) => columnNamed(columns, name))
  const partitions = groups.firsts.map((row) => key.map((column) => partitionValue(column, row)))
  return { rows, labels: partitions.length === 1 ? undefined : groups.labels, partitions }
}

interface Groups {
  readonly labels: Int32Array
  /** The first row of each group. */
  readonly firsts: readonly number[]
}

/** Splits groups by the values of one more column. */
function refine(groups: Groups, column: Column): Groups {
  const labels = new Int32Array(column.length)
  const firsts: number[] = []
  const seen: Map<string | number, number>[] = groups.firsts.map(() => new Map<string | number, number>())
  const keyAt = keyFunction(column)
  for (let row = 0; row < column.length; row++) {
    const group = seen[groups.labels[row] as number] as Map<string | number, number>
    const key = isNull(column, row) ? NULL_KEY : keyAt(row)
    let label = group.get(key)
    if (label === undefined) {
      label = firsts.length
      firsts.push(row)
      group.set(key, label)
    }
    labels[row] = label
  }
  return { labels, firsts }
}

/** Equals no key of a key function: their keys are numbers or text that starts with a quote. */
const NULL_KEY = 'null'

function keyFunction(column: Column): (row: number) => string | number {
  if (column.kind === 'fixed' && column.words === 1) return (row) => column.values[row] as number
  if (column.kind === 'fixed') {
    const { words, values } = column
    return (row) => `'${values.subarray(row * words, row * words + words).join()}`
  }
  if (column.kind === 'bytes') {
    const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.length)
    return (row) => `'${bytes.toString('latin1', column.offsets[row], column.offsets[row + 1])}`
  }
  throw new Error(`Broken invariant: a ${column.kind} column cannot partition a table`)
}

function partitionValue(column: Column, row: number): unknown {
  const value = valueAt(column, row)
  return value instanceof ExactNumber ? value.text : value
}

function columnNamed(columns: Columns, name: string): Column {
  const column = columns.columns[fieldIndexOf(columns.schema.fields, name)]
  if (column === undefined)
    throw new Error(`Broken invariant: partition column ${name} is not among the columns`)
  return column
}
