import type { DeadLetter } from '../../core/batch.ts'
import type { Raw } from '../../core/raw.ts'
import type { StructType } from '../../core/schema.ts'
import { fit } from '../../evolution/fit.ts'
import { ingestValues } from '../../evolution/ingest-values.ts'
import { compileTransforms } from '../../transforms/compile.ts'
import { FILTERED, Refusal } from '../../transforms/transformation.ts'
import type { SideRow } from '../table/side-table.ts'

/** Columns of dead letters that expressions make. */
export interface DeadLetterColumns {
  readonly names: readonly string[]
  /**
   * The row of a letter with these columns, as far as `schema` has them. What an expression cannot make, or no column
   * takes, is null.
   */
  fill(row: SideRow, letter: DeadLetter, schema: StructType): SideRow
}

/** Columns that are left as they are. */
const NONE: DeadLetterColumns = { names: [], fill: (row) => row }

/**
 * Compiles expressions by column. They see the row of the letter, its times in microseconds since the epoch.
 * @throws KD_CONFIG_INVALID with every fault
 */
export function deadLetterColumns(expressions: Readonly<Record<string, string>>): DeadLetterColumns {
  const names = Object.keys(expressions)
  if (names.length === 0) return NONE
  const coerce = ingestValues({ hexadecimal: false })
  // One by one, so that an expression that fails takes no other with it.
  const columns = Object.entries(expressions).map(
    ([name, text]) => [name, compileTransforms({ transforms: { [name]: text } })] as const,
  )
  return {
    names,
    fill(row, letter, schema) {
      const message = {
        ...row,
        timestamp: microsOf(row['timestamp']),
        kafka_timestamp: letter.timestampMs * 1000,
      }
      const raw = rawOf(letter)
      const made: Record<string, unknown> = {}
      for (const [name, transformation] of columns) {
        const result = transformation.apply(message, raw, 0)
        const failed = result instanceof Refusal || result === FILTERED
        made[name] = failed ? null : (result as Record<string, unknown>)[name]
      }
      const fields = schema.fields.filter((field) => names.includes(field.name))
      // Rescued is what does not fit: it is left out of the row.
      const fitted = fit(made, { type: 'struct', fields }, { rescues: true, lenient: 'all', coerce })
      const filled: Record<string, unknown> = { ...row }
      for (const { name } of fields) filled[name] = (fitted.row as Record<string, unknown>)[name] ?? null
      return filled
    },
  }
}

function microsOf(iso: unknown): number {
  return Date.parse(String(iso)) * 1000
}

/** The letter as the one record of a batch. */
function rawOf({ topic, partition, offset, timestampMs, key, value, headers }: DeadLetter): Raw {
  const place = (
    bytes: Uint8Array | undefined,
  ): { readonly start: Int32Array; readonly end: Int32Array } => ({
    start: Int32Array.of(bytes === undefined ? -1 : 0),
    end: Int32Array.of(bytes?.length ?? -1),
  })
  const [values, keys] = [place(value), place(key)]
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
