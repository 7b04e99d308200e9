import type { RegistryOptions } from '../registry/registry.ts'

/** What the formats are told beside the columns. */
export interface FormatSettings {
  /** What stands in front of a value and says which schema it was written by. */
  readonly framing: 'none' | 'single-object' | 'container' | 'registry'
  /** Names of formats that a value may have, where it may have one of several; the framing is `none` then. */
  readonly formats?: readonly string[]
  /** Records that one message may hold. */
  readonly recordsPerMessageMax: number
  /** Bytes that one value may come to, decompressed as a whole or in blocks. */
  readonly decompressedBytesMax: number
  /** Subject of the registry whose newest schema gives the columns of a topic that has no contract. */
  readonly subject: string
  readonly avro: AvroSettings
  /** Absent where no value is Protobuf. */
  readonly protobuf?: ProtobufSettings
  readonly csv: CsvSettings
  /** What values are beside rows; nothing where absent. */
  readonly envelope?: 'none' | 'debezium'
  /** Whose way of making rows is followed; our own where absent. */
  readonly compatibility?: 'none' | 'kafka-delta-ingest'
  /** Of that envelope. */
  readonly debezium?: DebeziumSettings
  /** Where schemas are looked up; there with the framing `registry`, and with `formats` where values may be framed so. */
  readonly schemaRegistry?: RegistryOptions
}

/** Where Avro schemas are. */
export interface AvroSettings {
  /** Path of a schema file: the schema of values without a frame. */
  readonly schema?: string
  /** Path of a folder of schema files: the schemas of single objects. */
  readonly schemas?: string
  /** Path of a schema file: what records are read as, whatever schema they were written by. */
  readonly readerSchema?: string
}

/** Where Protobuf messages are described. */
export interface ProtobufSettings {
  /** Path of a `.proto` file: the messages of values without a frame. */
  readonly schema?: string
  /** Full name of the message; the first of the file where absent, or any with a frame. */
  readonly message?: string
}

/** How a line of CSV is written. */
export interface CsvSettings {
  /** One character, or `tab`. */
  readonly delimiter: string
  /** One character, or `none`. */
  readonly quote: string
  /** Whether each value is two lines, the first with the names of the fields. */
  readonly header: boolean
  /** Names of the fields where there is no header; absent, the columns in their order. */
  readonly columns?: readonly string[]
  /** Texts without quotes that are null, beside the empty one. */
  readonly nullWords: readonly string[]
}
/** What becomes of events. */

export interface DebeziumSettings {
  /** Fields of an event that become columns beside those of the row. */
  readonly fields: readonly string[]
}
