import { isUtf8 } from 'node:buffer'
import { StructBuilder } from '../../arrow/builder.ts'
import type { Columns } from '../../arrow/column.ts'
import { DroppedPaths } from '../../arrow/rows.ts'
import type { DeadLetter } from '../../core/batch.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { isMessageObject } from '../../core/exact.ts'
import { keyOf, type Raw } from '../../core/raw.ts'
import { findField } from '../../core/schema.ts'
import { csvFieldReader } from '../text/csv.ts'
import type { Decoded, Format, MessageColumns } from '../format.ts'
import { REGISTRY_PREFIX_BYTES, schemaHeaderOf } from '../framing/schema-id.ts'
import { parseExact } from '../json/exact.ts'
import { withoutBom } from '../json/json-input.ts'

/** Describes the handling of records without a value. */
export interface TombstoneOptions {
  readonly tombstones: 'ignore' | 'deadLetter' | 'row'
  /** The column for a key that is not a JSON object. */
  readonly tombstoneKey?: string
  /** True when keys may begin with the id of a schema in the registry; false by default. */
  readonly mayFrameKeys?: boolean
}

/**
 * Returns a format that handles records without a value: they are ignored and counted, become dead letters, or become
 * rows made from their keys, with the columns as of the batch. Batches without such records are returned unchanged.
 */
export function withTombstones(
  inner: Format,
  { tombstones, tombstoneKey, mayFrameKeys = false }: TombstoneOptions,
  columns: MessageColumns | Changing<MessageColumns>,
): Format {
  if (tombstones === 'ignore') return inner
  const maker = new KeyRowBuilder(tombstoneKey, mayFrameKeys)
  return {
    ...inner,
    decode(raw) {
      const decoded = inner.decode(raw)
      if (decoded.tombstones === 0) return decoded
      const found = tombstonesOf(decoded)
      return tombstones === 'row' ? maker.rows(decoded, found, currentOf(columns)) : refused(decoded, found)
    },
  }
}

/** Returns the records of a batch without a value, or with a null value; ascending. */
function tombstonesOf({ raw, nullTombstones = [] }: Decoded): readonly number[] {
  const found = [...nullTombstones]
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

/** Builds rows from keys. Keeps its builder as long as the columns stay the same. */
class KeyRowBuilder {
  readonly #keyColumn: string | undefined
  readonly #mayFrame: boolean
  #idle: StructBuilder | undefined
  #dropped: DroppedPaths | undefined

  constructor(keyColumn: string | undefined, mayFrame: boolean) {
    this.#keyColumn = keyColumn
    this.#mayFrame = mayFrame
  }

  rows(decoded: Decoded, found: readonly number[], { schema }: MessageColumns): Decoded {
    const builder = this.#idle?.type === schema ? this.#idle : new StructBuilder(schema)
    // Kept only when the batch succeeds: after an error the builder holds its rows.
    this.#idle = undefined
    if (this.#dropped?.of !== schema) this.#dropped = new DroppedPaths(schema)
    const dropped = this.#dropped
    const records: number[] = []
    const deadLetters: DeadLetter[] = []
    for (const i of found) {
      const { length } = builder
      const fault = builder.append(this.#rowOf(decoded.raw, i, dropped))
      if (fault === undefined) records.push(i)
      else {
        builder.truncate(length)
        const message = `the key makes no row: ${fault}`
        deadLetters.push(deadLetterOf(decoded.raw, i, 'tombstone', message))
      }
    }
    const columns: Columns = builder.finishColumns()
    this.#idle = builder
    return {
      ...decoded,
      tombstones: decoded.tombstones - found.length,
      deadLetters: [...decoded.deadLetters, ...deadLetters],
      deletions: { columns, records: Int32Array.from(records) },
      ...(dropped.paths.size > 0 ? { droppedPaths: [...(decoded.droppedPaths ?? []), dropped] } : {}),
    }
  }

  /** Returns the columns that the key contains; the others are absent. */
  #rowOf(raw: Raw, i: number, dropped: DroppedPaths): object {
    const { of: schema } = dropped
    const key = keyOf(raw, i)
    // With its schema id in a header, a key has no prefix.
    const mayFrame = this.#mayFrame && schemaHeaderOf(raw, i, 'key') === undefined
    const text = key === undefined ? undefined : textOf(key, mayFrame)
    if (text === undefined) return {}
    const parsed = jsonOf(text)
    if (isMessageObject(parsed)) {
      const fields = Object.entries(payloadOf(parsed)).flatMap(([name, value]): [string, unknown][] => {
        const field = findField(schema, name)
        if (field !== undefined) return [[field.name, value]]
        dropped.add(name.toLowerCase())
        return []
      })
      return Object.fromEntries(fields)
    }
    const field = this.#keyColumn === undefined ? undefined : findField(schema, this.#keyColumn)
    if (field === undefined) return {}
    return { [field.name]: csvFieldReader(field.type)(typeof parsed === 'string' ? parsed : text) }
  }
}

/** Returns the text of a key without its schema id, if it has one, or `undefined` when it is not UTF-8. */
function textOf(key: Uint8Array, mayFrame: boolean): string | undefined {
  const framed = mayFrame && key[0] === 0 ? utf8Of(key.subarray(REGISTRY_PREFIX_BYTES)) : undefined
  // A big-endian integer begins with a zero byte too, so only JSON is taken for a value behind a schema id.
  return framed !== undefined && isJson(framed) ? framed : utf8Of(key)
}

function utf8Of(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? withoutBom(Buffer.from(bytes).toString('utf8')) : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Returns a JSON object or string, or `undefined` for everything else. */
function jsonOf(text: string): unknown {
  if (!/^\s*["{]/.test(text)) return undefined
  try {
    return parseExact(text)
  } catch {
    // Text that looks like JSON and is not is taken as text.
    return undefined
  }
}

/** Kafka Connect embeds the schema of a key next to its payload. */
function payloadOf(key: object): object {
  const { schema, payload, ...rest } = key as Record<string, unknown>
  return schema !== undefined && isMessageObject(payload) && Object.keys(rest).length === 0 ? payload : key
}
