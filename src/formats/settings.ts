import type { RegistryOptions } from '../registry/registry.ts'

/** What the formats are told beside the columns. */
export interface FormatSettings {
  /** What stands in front of a value and says which schema it was written by. */
  readonly framing: 'none' | 'single-object' | 'registry'
  /** Subject of the registry whose newest schema gives the columns of a topic that has no contract. */
  readonly subject: string
  readonly avro: AvroSettings
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
