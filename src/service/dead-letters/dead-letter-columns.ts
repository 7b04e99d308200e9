import { formatPath } from '../../../config/transforms/path.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { kafkaTimestampMicros, type Raw } from '../../core/raw.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import { coerceMessage } from '../../evolution/coerce-message.ts'
import { type CoerceValue, createIngestCoercion } from '../../evolution/ingest-values.ts'
import { compileTransforms } from '../../transforms/compile.ts'
import { FILTERED, RejectedMessage } from '../../transforms/transformation.ts'
import type { SideRow } from '../table/side-table.ts'

/** Computes columns of dead letters from configured expressions. */
export interface DeadLetterColumns {
  readonly names: readonly string[]
  /**
   * Returns the row with the computed columns that `schema` has. A column is null when its expression fails or its
   * type does not accept the value.
   */
  fill(row: SideRow, letter: DeadLetter, schema: StructType): SideRow
}

/** Adds no columns. */
const NONE: DeadLetterColumns = { names: [], fill: (row) => row }

/**
 * Compiles the expressions by column. They are evaluated on the row of the letter, with times in microseconds since
 * the epoch.
 * @throws KD_CONFIG_INVALID with every fault
 */
export function compileDeadLetterColumns(expressions: Readonly<Record<string, string>>): DeadLetterColumns {
  const names = Object.keys(expressions)
  if (names.length === 0) return NONE
  const coerceValue = createIngestCoercion({ isHexadecimal: false })
  // Compiled separately, so that a failing expression does not affect the others.
  const columns = Object.entries(expressions).map(
    ([name, text]) => [name, compileTransforms({ transforms: { [formatPath([name])]: text } })] as const,
  )
  return {
    names,
    fill(row, letter, schema) {
      const message = {
        ...row,
        timestamp: microsOf(row['timestamp']),
        kafka_timestamp: kafkaTimestampMicros(letter.timestampMs),
      }
      const raw = rawOf(letter)
      const computed: Record<string, unknown> = {}
      for (const [name, transformation] of columns) {
        const result = transformation.apply(message, raw, 0)
        const failed = result instanceof RejectedMessage || result === FILTERED
        computed[name] = failed ? null : (result as Record<string, unknown>)[name]
      }
      const filled: Record<string, unknown> = { ...row }
      for (const field of schema.fields)
        if (names.includes(field.name)) filled[field.name] = coerced(computed[field.name], field, coerceValue)
      return filled
    },
  }
}

/** Returns the value as the column accepts it, or null when it does not. */
function coerced(value: unknown, field: StructField, coerceValue: CoerceValue): unknown {
  try {
    const { row } = coerceMessage(
      { [field.name]: value },
      { type: 'struct', fields: [field] },
      // With `rescues`, a value that does not fit is removed from the row.
      { rescues: true, jsonTextColumns: 'all', coerceValue },
    )
    return (row as Record<string, unknown>)[field.name] ?? null
  } catch (error) {
    // Nested too deeply for the stack.
    if (error instanceof RangeError) return null
    throw error
  }
}

function microsOf(iso: unknown): number {
  return Date.parse(String(iso)) * 1000
}

/** Returns a batch that contains the letter as its only record. */
function rawOf({ topic, partition, offset, timestampMs, key, value, headers }: DeadLetter): Raw {
  const boundsOf = (
    bytes: Uint8Array | undefined,
  ): { readonly start: Int32Array; readonly end: Int32Array } => ({
    start: Int32Array.of(bytes === undefined ? -1 : 0),
    end: Int32Array.of(bytes?.length ?? -1),
  })
  const [values, keys] = [boundsOf(value), boundsOf(key)]
  return {
    topic,
    partition,
    count: 1,
    bytes: value ?? new Uint8Array(0),
    valueStart: values.start,
    valueEnd: values.end,
    keys: key ?? new Uint8Array(0),
    keyStart: keys.start,
    keyEnd: keys.end,
    offsets: BigInt64Array.of(offset),
    timestampsMs: Float64Array.of(timestampMs),
    headers: headers === undefined ? undefined : [headers],
  }
}
