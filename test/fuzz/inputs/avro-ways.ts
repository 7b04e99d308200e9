// Runs an Avro format that decodes into columns beside the same format that makes objects.
import { isDeepStrictEqual } from 'node:util'
import { of } from 'rxjs'
import { decode } from '../../../operators/decode.ts'
import { validate } from '../../../operators/validate.ts'
import { isNull, type Column } from '../../../src/arrow/column.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import { valueAt } from '../../../src/arrow/values.ts'
import type { Contract } from '../../../src/contract/contract.ts'
import type { Changing } from '../../../src/core/changing.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { createIngestCoercion } from '../../../src/evolution/ingest-values.ts'
import type { SchemaEvolution } from '../../../src/evolution/policy.ts'
import { RowColumns } from '../../../src/evolution/row-columns.ts'
import type { Decoded, Format, FormatOptions } from '../../../src/formats/format.ts'
import { provenanceOf } from '../../support/flow/batches.ts'
import { shapeOf } from '../../support/flow/layouts.ts'

/** How batches become rows in both ways. */
export interface Ways {
  readonly contract: Contract
  readonly isWritten: boolean
  readonly isIngest: boolean
  readonly table: StructType
  /** Absent: the contract alone validates. */
  readonly policy: SchemaEvolution | undefined
  /** Opens the format; without options it makes objects. */
  readonly open: (options: FormatOptions | Changing<FormatOptions> | undefined) => Format
  readonly batches: readonly Raw[]
}

/** Returns the first difference of both ways, if there is one, and the records that became columns directly. */
export async function compareAvroWays(
  ways: Ways,
): Promise<{ difference: string | undefined; direct: number }> {
  const fast = await runWay(ways, true)
  const slow = await runWay(ways, false)
  const { direct } = fast
  for (const [batch, outcomes] of slow.outcomes.entries())
    for (const [key, expected] of outcomes)
      if (!isDeepStrictEqual(fast.outcomes[batch]?.get(key), expected))
        return {
          difference: `batch ${batch}, record ${key} became ${shown(fast.outcomes[batch]?.get(key))}\n  instead of ${shown(expected)}`,
          direct,
        }
  if (isDeepStrictEqual(fast.summary, slow.summary)) return { difference: undefined, direct }
  return { difference: `${shown(fast.summary)}\n  instead of ${shown(slow.summary)}`, direct }
}

interface Way {
  readonly outcomes: readonly ReadonlyMap<string, unknown>[]
  readonly summary: unknown
  readonly direct: number
}

async function runWay(ways: Ways, isFast: boolean): Promise<Way> {
  const { contract, isWritten, isIngest, table, policy, batches } = ways
  const columns =
    policy &&
    new RowColumns({
      topic: 'events',
      contract,
      hasWrittenContract: isWritten,
      table: { shape: shapeOf(table), uri: 'memory' },
      addedColumns: [],
      policy,
      ...(isIngest ? { coerceValue: createIngestCoercion({ isHexadecimal: false }) } : {}),
    })
  const format = ways.open(isFast ? (columns ?? contract) : undefined)
  const outcomes: ReadonlyMap<string, unknown>[] = []
  const counts: unknown[] = []
  const paths = new Set<string>()
  let direct = 0
  for (const raw of batches) {
    await format.prepare?.(raw)
    const counted: Format = {
      name: format.name,
      decode(batch) {
        const decoded = format.decode(batch)
        direct += decoded.validated?.records.length ?? 0
        if (isFast) checkCounts(decoded)
        return decoded
      },
    }
    const rows = rowsOf(counted, contract, columns, raw)
    if (typeof rows === 'string') {
      counts.push(rows)
      break
    }
    outcomes.push(outcomesIn(rows, table))
    const { droppedFields = 0, tombstones, filtered, droppedPaths = [] } = rows
    counts.push({ count: rows.raw.count, droppedFields, tombstones, filtered })
    if (droppedFields > 0)
      for (const dropped of droppedPaths) for (const path of dropped.paths) paths.add(path)
  }
  return { outcomes, summary: { counts, paths: [...paths].sort() }, direct }
}

/** Checks that each record is accounted for, and that those without a row in columns are said to be slow. */
function checkCounts({
  raw,
  validated,
  objects,
  records,
  deadLetters,
  tombstones,
  slow = {},
}: Decoded): void {
  const sum = Object.values(slow).reduce((total, count) => total + count, 0)
  const others = objects.length + deadLetters.length
  const all = (validated?.records.length ?? 0) + others + tombstones
  const isAscending = records.every((record, i) => i === 0 || record > (records[i - 1] as number))
  if (sum !== others || all !== raw.count || !isAscending)
    throw new Error(
      `${sum} records are said to be slow, but ${others} are; ${all} of ${raw.count} are accounted for`,
    )
}

function rowsOf(
  format: Format,
  contract: Contract,
  columns: RowColumns | undefined,
  raw: Raw,
): Rows | string {
  let rows: Rows | undefined
  let failure: unknown
  of({ provenance: provenanceOf({ records: raw.count }), payload: raw })
    .pipe(decode(format), validate(contract, columns))
    .subscribe({ next: (out) => (rows = out.payload), error: (error: unknown) => (failure = error) })
  if (rows !== undefined) return rows
  if (failure instanceof Error && 'code' in failure) return failure.message
  throw failure instanceof Error ? failure : new Error(String(failure))
}

/** Returns what became of each record, by its offset and part. */
function outcomesIn(
  { raw, columns, records, deadLetters }: Rows,
  table: StructType,
): ReadonlyMap<string, unknown> {
  const outcomes = new Map<string, unknown>()
  for (const [row, record] of records.entries()) {
    const fields = columns.schema.fields
      .map(({ name }, index): [string, unknown] => [
        name,
        exactValueAt(columns.columns[index] as Column, row),
      ])
      // A batch has further columns when one of its records, perhaps a refused one, needs them.
      .filter(([name, value]) => value !== null || table.fields.some((field) => field.name === name))
    outcomes.set(`record ${record}`, fields)
  }
  for (const { offset, part = 0, reason, message, value } of deadLetters)
    outcomes.set(`${offset}/${part}`, { reason, message, value: value && Buffer.from(value).toString('hex') })
  for (let i = 0; i < raw.count; i++) if (!outcomes.has(`record ${i}`)) outcomes.set(`record ${i}`, undefined)
  return outcomes
}

/**
 * Returns a value with the entries of maps in their order, with -0, and with the types of the columns that hold its parts. Null
 * fields of structs are left out: a batch may have further ones, as it may have further columns.
 */
function exactValueAt(column: Column, row: number): unknown {
  if (isNull(column, row)) return null
  switch (column.kind) {
    case 'struct':
      return column.children
        .map((child, index) => [(column.type as StructType).fields[index]?.name, exactValueAt(child, row)])
        .filter(([, value]) => value !== null)
    case 'list':
      return rangeOf(column.offsets, row).map((i) => exactValueAt(column.child, i))
    case 'map':
      return rangeOf(column.offsets, row).map((i) => [
        exactValueAt(column.keys, i),
        exactValueAt(column.values, i),
      ])
    default:
      return [column.type, valueAt(column, row)]
  }
}

function rangeOf(offsets: Int32Array, row: number): number[] {
  const start = offsets[row] as number
  return Array.from({ length: (offsets[row + 1] as number) - start }, (_, i) => start + i)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : Object.is(inner, -0) ? '-0' : inner,
  ) as string | undefined
  return (text ?? 'nothing').slice(0, 3_000)
}
