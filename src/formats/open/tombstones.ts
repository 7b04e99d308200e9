import { isUtf8 } from 'node:buffer'
import { StructBuilder } from '../../arrow/builder.ts'
import type { Columns } from '../../arrow/column.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { keyOf, type Raw } from '../../core/raw.ts'
import { fieldNamed, type StructType } from '../../core/schema.ts'
import { textReader } from '../text/csv.ts'
import type { Decoded, Format, FormatOptions } from '../format.ts'
import { parseExact } from '../json/exact.ts'

/** What becomes of records without a value. */
export interface TombstoneOptions {
  readonly tombstones: 'ignore' | 'deadLetter' | 'row'
  /** The column that takes a key that is no JSON object. */
  readonly tombstoneKey?: string
}

/**
 * A format whose records without a value are left out and counted, are dead letters, or are rows of what their keys say.
 * `columns` are those of rows, read anew for each batch. Batches without such records pass as they are.
 */
export function withTombstones(
  inner: Format,
  { tombstones, tombstoneKey }: TombstoneOptions,
  columns: Pick<FormatOptions, 'schema'>,
): Format {
  if (tombstones === 'ignore') return inner
  const maker = new RowMaker(columns, tombstoneKey)
  return {
    ...inner,
    decode(raw) {
      const decoded = inner.decode(raw)
      if (decoded.tombstones === 0) return decoded
      const found = tombstonesOf(decoded)
      return tombstones === 'row' ? maker.rows(decoded, found) : refused(decoded, found)
    },
  }
}

/** The records of a batch that have no value, or one that says that there is none; ascending. */
function tombstonesOf({ raw, nulls = [] }: Decoded): readonly number[] {
  const found = [...nulls]
  for (let i = 0; i < raw.count; i++) if ((raw.valueStart[i] as number) < 0) found.push(i)
  return found.sort((a, b) => a - b)
}

function refused(decoded: Decoded, found: readonly number[]): Decoded {
  const letters = found.map((i) => deadLetterOf(decoded.raw, i, 'tombstone', 'expected a value, got none'))
  return {
    ...decoded,
    tombstones: decoded.tombstones - found.length,
    deadLetters: [...decoded.deadLetters, ...letters],
  }
}

/** Makes rows of keys; keeps its builder while the columns stay. */
class RowMaker {
  readonly #columns: Pick<FormatOptions, 'schema'>
  readonly #keyColumn: string | undefined
  #builder: StructBuilder | undefined

  constructor(columns: Pick<FormatOptions, 'schema'>, keyColumn: string | undefined) {
    this.#columns = columns
    this.#keyColumn = keyColumn
  }

  rows(decoded: Decoded, found: readonly number[]): Decoded {
    const { schema } = this.#columns
    if (this.#builder?.type !== schema) this.#builder = new StructBuilder(schema)
    const builder = this.#builder
    const records: number[] = []
    const deadLetters: DeadLetter[] = []
    for (const i of found) {
      const { length } = builder
      const fault = builder.append(this.#rowOf(decoded.raw, i, schema))
      if (fault === undefined) records.push(i)
      else {
        builder.truncate(length)
        const message = `the key makes no row: ${fault}`
        deadLetters.push(deadLetterOf(decoded.raw, i, 'tombstone', message))
      }
    }
    const columns: Columns = builder.finishColumns()
    return {
      ...decoded,
      tombstones: decoded.tombstones - found.length,
      deadLetters: [...decoded.deadLetters, ...deadLetters],
      deletions: { columns, records: Int32Array.from(records) },
    }
  }

  /** What the key says of the columns; those that it does not name are null, and so is all where it cannot be read. */
  #rowOf(raw: Raw, i: number, schema: StructType): object {
    const key = keyOf(raw, i)
    const text = key === undefined ? undefined : textOf(key)
    if (text === undefined) return {}
    const parsed = jsonOf(text)
    if (isObject(parsed)) {
      const fields = Object.entries(payloadOf(parsed)).flatMap(([name, value]): [string, unknown][] => {
        const field = fieldNamed(schema, name)
        return field === undefined ? [] : [[field.name, value]]
      })
      return Object.fromEntries(fields)
    }
    const field = this.#keyColumn === undefined ? undefined : fieldNamed(schema, this.#keyColumn)
    if (field === undefined) return {}
    return { [field.name]: textReader(field.type)(typeof parsed === 'string' ? parsed : text) }
  }
}

/** The text of a key, without the id of its schema where one stands in front; `undefined` for what is no UTF-8. */
function textOf(key: Uint8Array): string | undefined {
  const bytes = key[0] === 0 ? key.subarray(5) : key
  return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : undefined
}

/** An object or a text of JSON; `undefined` for everything else. */
function jsonOf(text: string): unknown {
  if (!/^\s*["{]/.test(text)) return undefined
  try {
    return parseExact(text)
  } catch {
    // A text that begins so and is no JSON is a text.
    return undefined
  }
}

/** Keys of Kafka Connect have their schema beside them. */
function payloadOf(key: object): object {
  const { schema, payload, ...rest } = key as Record<string, unknown>
  return schema !== undefined && isObject(payload) && Object.keys(rest).length === 0 ? payload : key
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
