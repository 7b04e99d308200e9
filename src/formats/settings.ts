import type { RegistryOptions } from '../registry/registry.ts'

/** What the formats are told beside the columns. */
export interface FormatSettings {
  /** What stands in front of a value and says which schema it was written by. */
  readonly framing: 'none' | 'single-object' | 'registry'
  /** Subject of the registry whose newest schema gives the columns of a topic that has no contract. */
  readonly subject: string
  readonly avro: AvroSettings
  /** Absent where no value is Protobuf. */
  readonly protobuf?: ProtobufSettings
  readonly csv: CsvSettings
  /** Where schemas are looked up; there with the framing `registry`. */
  readonly schemaRegistry?: RegistryOptions
}

/** Where Avro schemas are. */
export interface AvroSettings {
  /** Path of a schema file: the schema of values without a frame. */
  readonly schema?: string
  /** Path of a folder of schema files: the schemas of single objects. */
  readonly schemas?: string
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
