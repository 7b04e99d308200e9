import type { CsvSettings } from '../../../src/formats/settings.ts'

/** CSV as it is written where nothing is said. */
export const CSV: CsvSettings = { delimiter: ',', quote: '"', header: false, nullWords: [] }

/** What the configuration says of the values of a topic and of transforms where nobody does, beside their format; the topic is `a`. */
export const VALUES = {
  framing: 'none',
  subject: 'a-value',
  recordsPerMessageMax: 100_000,
  avro: {},
  csv: CSV,
  decompress: 'none',
  decompressedBytesMax: 16_777_216,
  protobuf: {},
  envelope: 'none' as const,
  debezium: { fields: ['op', 'table', 'source.ts_ms'] },
  compatibility: 'none' as const,
  tombstones: 'ignore',
  inference: { records: 1000, bytes: 16_777_216, ageMs: 5000, timestamps: false },
  cobDate: { column: 'cob_date', format: 'YYYY-MM-DD', timeZone: 'UTC', allowFuture: false },
  rules: [],
  transforms: {},
  drop: [],
  rename: {},
  lookups: {},
  hashKeys: {},
}
