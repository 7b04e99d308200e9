// Runs a format that decodes into columns beside the same format that makes objects.
import { isDeepStrictEqual } from 'node:util'
import { of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { isNull, type Column } from '../../../src/arrow/column.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import { valueAt } from '../../../src/arrow/values.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { StructType } from '../../../src/core/schema.ts'
import type { SchemaEvolution } from '../../../src/evolution/policy.ts'
import { RowColumns } from '../../../src/evolution/row-columns.ts'
import type { Decoded, Format, FormatOptions } from '../../../src/formats/format.ts'
import type { Changing } from '../../../src/core/changing.ts'
import { provenanceOf } from '../../support/flow/batches.ts'
import { shapeOf } from '../../support/flow/layouts.ts'

/** How messages become rows in both ways. */
export interface Comparison {
  readonly contract: Contract
  readonly hasWrittenContract: boolean
  /** Columns of the table. */
  readonly table: StructType
  /** Absent: the contract alone validates. */
  readonly policy: SchemaEvolution | undefined
  /** Opens the format; when it is not `fast`, it makes objects only. */
  readonly open: (options: FormatOptions | Changing<FormatOptions>, isFast: boolean) => Format
  readonly batches: readonly Raw[]
}

/** The first difference of both ways, if there is one, and the records that became columns directly. */
export async function compareWays(
  of: Comparison,
): Promise<{ difference: string | undefined; columnar: number }> {
  const [fast, slow] = [await runWay(of, true), await runWay(of, false)]
  for (const [batch, outcomes] of slow.outcomes.entries())
    for (const [record, expected] of outcomes.entries()) {
      const found = fast.outcomes[batch]?.[record]
      if (!isDeepStrictEqual(found, expected)) {
        const raw = of.batches[batch] as Raw
        const bytes = Buffer.from(raw.bytes.subarray(raw.valueStart[record], raw.valueEnd[record]))
        const difference = `${bytes.toString('hex')} (${JSON.stringify(bytes.toString('latin1'))})\n  became ${shown(found)}\n  instead of ${shown(expected)}`
        return { difference, columnar: fast.columnar }
      }
    }
  const [a, b] = [fast.summary, slow.summary]
  // Columns may name fields of a message that the contract refuses after it was read: more is read again, never less.
  const isSame = isDeepStrictEqual(a.counts, b.counts) && b.paths.every((path) => a.paths.includes(path))
  const difference = isSame ? undefined : `${shown(a)}\n  instead of ${shown(b)}`
  return { difference, columnar: fast.columnar }
}

interface Way {
  readonly outcomes: readonly (readonly unknown[])[]
  readonly summary: { readonly counts: readonly unknown[]; readonly paths: readonly string[] }
  readonly columnar: number
}

async function runWay(comparison: Comparison, isFast: boolean): Promise<Way> {
  const { contract, hasWrittenContract, table, policy, open, batches } = comparison
  const columns =
    policy === undefined
      ? undefined
      : new RowColumns({
          topic: 'events',
          contract,
          hasWrittenContract,
          table: { shape: shapeOf(table), uri: 'memory' },
          addedColumns: [],
          policy,
        })
  const format = open(columns ?? contract, isFast)
  const outcomes: (readonly unknown[])[] = []
  const counts: unknown[] = []
  const paths = new Set<string>()
  let columnar = 0
  for (const raw of batches) {
    await format.prepare?.(raw)
    const counted: Format = {
      name: format.name,
      decode(batch) {
        const decoded = format.decode(batch)
        columnar += decoded.validated?.records.length ?? 0
        checkCounts(decoded)
        return decoded
      },
    }
    const rows = rowsOf(counted, contract, columns, raw)
    if (rows instanceof Error) {
      counts.push(rows.message)
      break
    }
    outcomes.push(outcomesIn(rows, table))
    const { droppedFields = 0, tombstones, filtered, droppedPaths = [] } = rows
    counts.push({ droppedFields, tombstones, filtered })
    if (droppedFields > 0)
      for (const dropped of droppedPaths) for (const path of dropped.paths) paths.add(path)
  }
  return { outcomes, summary: { counts, paths: [...paths].sort() }, columnar }
}

/** Records without a row in columns are those that are said to be slow. */
function checkCounts({
  raw,
  validated,
  objects,
  deadLetters,
  tombstones,
  nullTombstones = [],
  slow = {},
}: Decoded): void {
  const sum = Object.values(slow).reduce((total, count) => total + count, 0)
  const others = objects.length + deadLetters.length + nullTombstones.length
  const all = (validated?.records.length ?? 0) + others + tombstones - nullTombstones.length
  if (sum !== others || all !== raw.count)
    throw new Error(
      `${sum} records are said to be slow, but ${others} are; ${all} of ${raw.count} are accounted for`,
    )
}

function rowsOf(format: Format, contract: Contract, columns: RowColumns | undefined, raw: Raw): Rows | Error {
  let rows: Rows | undefined
  let failure: unknown
  of({ provenance: provenanceOf({ records: raw.count }), payload: raw })
    .pipe(decode(format), validate(contract, columns))
    .subscribe({ next: (out) => (rows = out.payload), error: (error: unknown) => (failure = error) })
  if (rows !== undefined) return rows
  if (failure instanceof PipelineError) return failure
  throw failure instanceof Error ? failure : new Error(String(failure))
}

/** What became of each record: a row, a dead letter, or undefined. */
function outcomesIn({ raw, columns, records, deadLetters }: Rows, table: StructType): unknown[] {
  const outcomes = new Array<unknown>(raw.count).fill(undefined)
  for (const [row, record] of records.entries())
    outcomes[record] = columns.schema.fields
      .map(({ name, type }, index) => [name, type, exactValueAt(columns.columns[index] as Column, row)])
      // A batch has further columns when one of its records, perhaps a refused one, needs them.
      .filter(([name, , value]) => value !== null || table.fields.some((field) => field.name === name))
  for (const { offset, reason, message } of deadLetters) outcomes[Number(offset)] = { reason, message }
  return outcomes
}

/** The value with the entries of maps in their order, and with the types of numbers. */
function exactValueAt(column: Column, row: number): unknown {
  if (isNull(column, row)) return null
  switch (column.kind) {
    case 'struct':
      return column.children.map((child) => exactValueAt(child, row))
    case 'list':
      return rangeOf(column.offsets, row).map((i) => exactValueAt(column.child, i))
    case 'map':
      return rangeOf(column.offsets, row).map((i) => [
        exactValueAt(column.keys, i),
        exactValueAt(column.values, i),
      ])
    default:
      return valueAt(column, row)
  }
}

function rangeOf(offsets: Int32Array, row: number): number[] {
  const start = offsets[row] as number
  return Array.from({ length: (offsets[row + 1] as number) - start }, (_, i) => start + i)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : Object.is(inner, -0) ? '-0' : inner,
  )
  return text.slice(0, 4_000)
}
