import type { SchemaFiles } from './carry.ts'

/** A message as a producer writes it: its value alone, or with key, headers and time. */
export type Message = string | Uint8Array | null | MessageParts

interface MessageParts {
  readonly value: string | Uint8Array | null
  readonly key?: string | Uint8Array | null
  readonly headers?: Readonly<Record<string, Buffer | string | null>>
  /** Milliseconds since the epoch. */
  readonly timestampMs?: number
}

/** A schema of the registry as its REST API returns it. */
export interface StubSchema {
  readonly schemaType?: 'AVRO' | 'JSON' | 'PROTOBUF'
  readonly schema: string
}

/** One row of `docs/compatibility.md`: messages of a producer, and the table that they must make. */
export interface CompatibilityRow {
  /** The first cell of its line in the page. */
  readonly id: string
  /** Options of the topic. */
  readonly topic?: object
  /** Schemas of the registry by id, and the ids of the newest schemas by subject and of schemas by GUID. */
  readonly registry?: {
    readonly ids: Readonly<Record<number, StubSchema>>
    readonly subjects?: Readonly<Record<string, number>>
    readonly guids?: Readonly<Record<string, number>>
  }
  /** Files by name; an option of the topic whose value is `file:NAME` gets the path. */
  readonly files?: SchemaFiles
  /** Batches of a partition; each becomes a commit. */
  readonly batches: readonly (readonly Message[])[]
  readonly expected: Expected
  /** Readers that cannot read the table, with their message; once they can, the entry is to go. */
  readonly notRead?: Readonly<Partial<Record<'delta-rs' | 'duckdb', RegExp>>>
}

/** What the messages make. */
export interface Expected {
  /** Columns of the table with their types, in order; absent where the topic fails at its start. */
  readonly columns?: Readonly<Record<string, string>>
  /** Rows as `table cat` prints them, in the order of the commits. */
  readonly rows?: readonly string[]
  /** Reason and message of each dead letter. */
  readonly letters?: readonly string[]
  readonly tombstones?: number
  readonly filtered?: number
  readonly droppedFields?: number
  /** Begins the message of the error with which the topic ends. */
  readonly error?: string
}
