import type { DeadLetter } from '../../core/batch.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import { deadLetterOf } from '../../core/dead-letter.ts'
import { messageOf } from '../../core/errors.ts'
import type { Raw } from '../../core/raw.ts'
import { isMessageObject } from '../../core/exact.ts'
import { toJsonText } from '../../core/json-text.ts'
import { findField, type StructType } from '../../core/schema.ts'
import {
  debeziumColumnOf,
  DEBEZIUM_DELETED_COLUMN,
  debeziumRowSchema,
  debeziumTypeOf,
  withEventColumns,
} from './columns.ts'
import type { AvroFraming } from '../avro/format.ts'
import { AvroEventColumns } from './avro-event-columns.ts'
import type { EventRows } from './event-batch.ts'
import { EventColumns } from './event-columns.ts'
import { connectWriterSchemas } from './connect-columns.ts'
import { toConnectSchema, fieldSchemaOf, convertLogicalValue, type ConnectSchema } from './values.ts'
import { messagesOf } from '../framing/some-messages.ts'
import type { Decoded, Format, FormatOptions, MessageColumns, SlowCounts, WriterSchema } from '../format.ts'
import type { DebeziumSettings } from '../settings.ts'
import { emptyDecoded } from '../values.ts'

/** Marks an event that changes no row. */
const NO_CHANGE = Symbol('no change of a row')

type Message = Readonly<Record<string, unknown>>

/**
 * Returns a format whose values are Debezium events: each row is the new state of a source row (`after`), or its last
 * state before a delete (`before`). Messages that concern no row (heartbeats, transaction boundaries, schema changes,
 * truncated tables) are filtered. A message that is not an event is a dead letter. With `bytes`, the rows of plain events are
 * read from bytes into its columns, and `inner` decodes the others.
 */
export function debeziumFormat(
  inner: Format,
  { fields }: DebeziumSettings,
  columns: MessageColumns | Changing<MessageColumns>,
  bytes?: EventBytes,
): Format {
  const prepare = inner.prepare?.bind(inner)
  const writerOf = rowSchemas(fields)
  const withRows = (decoded: Decoded): Decoded => rowsOfEvents(decoded, fields, columns, writerOf)
  const fast = bytes && eventColumnsOf(bytes, fields, (embedded) => writerOf(embedded, undefined))
  return {
    name: inner.name,
    ...(prepare === undefined ? {} : { prepare }),
    decode(raw) {
      const rows = fast?.().read(raw)
      const decodeRest =
        bytes !== undefined && currentOf(bytes.columns).onlyColumns === true
          ? emptyDecoded
          : (rest: Raw) => withRows(inner.decode(rest))
      return rows === undefined ? allSlow(decodeRest(raw)) : withEventRows(raw, rows, decodeRest)
    },
    objectReasons: () =>
      fast?.().reasons ?? [{ subject: 'envelope', reason: 'only events in JSON and Avro become columns' }],
  }
}

/** Says how the events lie in the bytes of values, for reading their rows directly into columns. */
export interface EventBytes {
  /** The columns of rows. */
  readonly columns: FormatOptions | Changing<FormatOptions>
  /** Says how values in Avro name their schemas; absent where values are JSON. */
  readonly avro?: AvroFraming | undefined
}

/** Returns a function that returns the reader for the present columns. */
function eventColumnsOf(
  { columns, avro }: EventBytes,
  fields: readonly string[],
  rowSchemaOf: (embedded: ConnectSchema | undefined) => WriterSchema | undefined,
): () => EventColumns | AvroEventColumns {
  let latest: { readonly of: FormatOptions; readonly columns: EventColumns | AvroEventColumns } | undefined
  return () => {
    const of = currentOf(columns)
    if (latest?.of !== of) {
      const made =
        avro === undefined
          ? new EventColumns(of, fields, rowSchemaOf)
          : new AvroEventColumns(of, fields, avro)
      latest = { of, columns: made }
    }
    return latest.columns
  }
}

function allSlow(decoded: Decoded): Decoded {
  const count = decoded.objects.length + decoded.deadLetters.length
  return count === 0 ? decoded : { ...decoded, slow: { path: count } }
}

/** Decodes the records that did not become rows yet, and joins both. */
function withEventRows(raw: Raw, rows: EventRows, decodeRest: (rest: Raw) => Decoded): Decoded {
  const left: number[] = []
  for (let i = 0; i < raw.count; i++) if (rows.isRow[i] === 0) left.push(i)
  const { columns, records, droppedFields, droppedPaths } = rows
  const own = {
    raw,
    validated: { columns, records },
    ...(droppedFields === 0 ? {} : { droppedFields, droppedPaths: [droppedPaths] }),
  }
  if (left.length === 0) return { ...own, objects: [], records: [], deadLetters: [], tombstones: 0 }
  const rest = decodeRest(messagesOf(raw, left))
  const count = rest.objects.length + rest.deadLetters.length
  const recordOf = (record: number): number => left[record] as number
  return {
    ...rest,
    ...own,
    records: rest.records.map(recordOf),
    ...(rest.nullTombstones === undefined ? {} : { nullTombstones: rest.nullTombstones.map(recordOf) }),
    ...(count === 0 ? {} : { slow: slowCountsOf(rows, count) }),
  }
}

function slowCountsOf({ slow: { path, schema } }: EventRows, count: number): SlowCounts {
  const value = count - path - schema
  return {
    ...(path > 0 ? { path } : {}),
    ...(schema > 0 ? { schema } : {}),
    ...(value > 0 ? { value } : {}),
  }
}

type WriterOf = ReturnType<typeof rowSchemas>

/** Turns events into the objects of their rows. */
function rowsOfEvents(
  decoded: Decoded,
  fields: readonly string[],
  columns: MessageColumns | Changing<MessageColumns>,
  writerOf: WriterOf,
): Decoded {
  const { schema: columnsNow } = currentOf(columns)
  const objects: object[] = []
  const records: number[] = []
  const writers: (WriterSchema | undefined)[] = []
  const deadLetters: DeadLetter[] = [...decoded.deadLetters]
  let filtered = decoded.filtered ?? 0
  for (const [index, object] of decoded.objects.entries()) {
    const record = decoded.records[index] as number
    try {
      const { event, schema } = unwrapped(object)
      const row = rowOf(event, schema, fields, columnsNow)
      if (row === NO_CHANGE) {
        filtered++
        continue
      }
      const writer = writerOf(schema, decoded.writers?.[index])
      objects.push(row)
      records.push(record)
      writers.push(writer)
    } catch (thrown) {
      deadLetters.push(deadLetterOf(decoded.raw, record, 'decode', messageOf(thrown)))
    }
  }
  return { ...decoded, objects, records, writers, deadLetters, filtered }
}

/**
 * Returns a function that returns the schema of a row: by the schema that the message embeds, or else by the one that
 * its event was decoded with. One schema of events gives one of rows.
 */
function rowSchemas(
  fields: readonly string[],
): (embedded: ConnectSchema | undefined, event: WriterSchema | undefined) => WriterSchema | undefined {
  const made = new WeakMap<WriterSchema, { readonly of: WriterSchema | undefined }>()
  const ofEmbedded = connectWriterSchemas((columns) => withEventColumns(columns, fields))
  return (embedded, event) => {
    const state = fieldSchemaOf(embedded, 'after') ?? fieldSchemaOf(embedded, 'before')
    const own = state && ofEmbedded(state)
    if (own !== undefined || event === undefined) return own
    let known = made.get(event)
    if (known === undefined) made.set(event, (known = { of: debeziumRowSchema(event, fields) }))
    return known.of
  }
}

function rowOf(
  event: Message | null,
  schema: ConnectSchema | undefined,
  fields: readonly string[],
  columns: StructType,
): object | typeof NO_CHANGE {
  // The tombstone that the JSON converter writes when it embeds schemas.
  if (event === null) return NO_CHANGE
  const { op } = event
  if (op === undefined || op === null) {
    if (isNoChange(event)) return NO_CHANGE
    throw new Error(`expected a Debezium event with op, got the fields ${namesOf(event)}`)
  }
  switch (op) {
    case 'c':
    case 'u':
    case 'r':
      return changed(event, 'after', schema, fields, columns)
    case 'd':
      return changed(event, 'before', schema, fields, columns)
    case 't':
    case 'm':
      return NO_CHANGE
    default:
      throw new Error(`expected a Debezium op (c, u, r, d, t or m), got ${toJsonText(op).slice(0, 100)}`)
  }
}

/** Returns the event and the schema that the JSON converter embeds next to it, if any. */
function unwrapped(object: unknown): { event: Message | null; schema: ConnectSchema | undefined } {
  const message = object as Message
  if (!('payload' in message) || !('schema' in message) || 'op' in message)
    return { event: message, schema: undefined }
  const { payload, schema } = message
  if (payload !== null && !isObject(payload))
    throw new Error(`expected a Debezium event as the payload, got ${toJsonText(payload).slice(0, 100)}`)
  return { event: payload, schema: toConnectSchema(schema) }
}

/** Heartbeats, transaction boundaries and schema changes have no operation. */
function isNoChange(event: Message): boolean {
  const names = Object.keys(event)
  if (names.length > 0 && names.every((name) => /^ts_(?:ms|us|ns)$/.test(name))) return true
  if ('status' in event && 'id' in event && (event['status'] === 'BEGIN' || event['status'] === 'END'))
    return true
  return 'source' in event && ('ddl' in event || 'tableChanges' in event)
}

function changed(
  event: Message,
  side: 'before' | 'after',
  schema: ConnectSchema | undefined,
  fields: readonly string[],
  columns: StructType,
): object {
  const state = event[side]
  if (!isObject(state))
    throw new Error(
      `expected the row in ${side} of an event with op ${String(event['op'])}, got ${toJsonText(state ?? null).slice(0, 100)}`,
    )
  const of = fieldSchemaOf(schema, side)
  const row: Record<string, unknown> =
    of === undefined ? { ...state } : { ...(convertLogicalValue(state, of, columns) as object) }
  for (const field of fields) row[debeziumColumnOf(field)] = fieldOf(event, field, columns)
  row[DEBEZIUM_DELETED_COLUMN] = side === 'before'
  return row
}

/** Returns a field of the event or, if the event lacks it, of its source; as text when its column is text. */
function fieldOf(event: Message, field: string, columns: StructType): unknown {
  const source = isObject(event['source']) ? event['source'] : {}
  const value = field.startsWith('source.')
    ? own(source, field.slice('source.'.length))
    : (own(event, field) ?? own(source, field))
  if (value === undefined || value === null) return null
  const type = findField(columns, debeziumColumnOf(field))?.type ?? debeziumTypeOf(field)
  return type === 'string' && typeof value !== 'string' ? toJsonText(value) : value
}

function own(message: Message, name: string): unknown {
  return Object.hasOwn(message, name) ? message[name] : undefined
}

function isObject(value: unknown): value is Message {
  return isMessageObject(value)
}

function namesOf(event: Message): string {
  const text = Object.keys(event).join(', ')
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
