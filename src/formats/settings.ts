/** What the formats are told beside the columns: one section for each format that has settings. */
export interface FormatSettings {
  readonly avro: AvroSettings
}

/** How Avro values are framed, and where their schemas are. */
export interface AvroSettings {
  readonly encoding: 'bare' | 'single-object'
  /** Path of a schema file: the schema of bare values. */
  readonly schema?: string
  /** Path of a folder of schema files: the schemas of single objects. */
  readonly schemas?: string
}
