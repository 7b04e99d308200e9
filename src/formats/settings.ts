import type { CodecName } from '../compression/compression.ts'
import type { SchemaRegistry, SchemaRegistryOptions } from '../registry/registry.ts'
import type { SchemaFiles } from './schema-files.ts'

/** Holds the settings of the formats, apart from the columns. */
export interface FormatSettings {
  /** The framing of a value, which identifies the schema that it was written with. */
  readonly framing: 'none' | 'single-object' | 'container' | 'registry'
  /** Names of the candidate formats when values may have one of several; the framing is `none` then. */
  readonly formats?: readonly string[]
  /** Limit of the records in one message. */
  readonly recordsPerMessageMax: number
  /** Size limit of one value in bytes, decompressed as a whole or in blocks. */
  readonly decompressedBytesMax: number
  /** Registry subject whose newest schema defines the columns of a topic without a contract. */
  readonly subject: string
  readonly avro: AvroSettings
  /** Absent when no value is Protobuf. */
  readonly protobuf?: ProtobufSettings
  readonly csv: CsvSettings
  /** The envelope of rows; none when absent. */
  readonly envelope?: 'none' | 'debezium'
  /** The program whose way of making rows is followed; our own when absent. */
  readonly compatibility?: 'none' | 'kafka-delta-ingest'
  /** Settings of the Debezium envelope. */
  readonly debezium?: DebeziumSettings
  /**
   * The schema registry: present for the framing `registry`, and with `formats` when values may have that
   * framing.
   */
  readonly schemaRegistry?: SchemaRegistryOptions
  /** The client that asks the schema registry; by default one is made for `schemaRegistry`. */
  readonly registry?: SchemaRegistry
  /** The files that hold schemas; those on disk by default. */
  readonly files?: SchemaFiles
}

/** Describes the format of a topic's values. */
export interface FormatChoice extends FormatSettings {
  /** Name of a format in `FORMAT_FACTORIES`. */
  readonly format: string
  /** Compression of each single value. */
  readonly decompress: 'none' | 'auto' | CodecName
}

/** Locates the Avro schemas. */
export interface AvroSettings {
  /** Path of the schema file for values without framing. */
  readonly schema?: string
  /** Path of the folder with the schema files of single objects. */
  readonly schemas?: string
  /** Path of the schema file that records are resolved to, whatever schema they were written with. */
  readonly readerSchema?: string
}

/** Locates the description of Protobuf messages. */
export interface ProtobufSettings {
  /** Path of the `.proto` file with the messages of values without framing. */
  readonly schema?: string
  /** Full name of the message. When absent: the first message of the file, or any message for values with framing. */
  readonly message?: string
}

/** Describes the dialect of CSV. */
export interface CsvSettings {
  /** One character, or `tab`. */
  readonly delimiter: string
  /** One character, or `none`. */
  readonly quote: string
  /** True when each value is two lines, the first with the names of the fields. */
  readonly header: boolean
  /** Names of the fields without a header; when absent, the columns in order. */
  readonly columns?: readonly string[]
  /** Unquoted texts that are null, in addition to the empty one. */
  readonly nullWords: readonly string[]
}

/** Configures the columns made from Debezium events. */
export interface DebeziumSettings {
  /** Fields of an event that become columns in addition to those of the row. */
  readonly fields: readonly string[]
}
