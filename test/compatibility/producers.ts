import { AVRO_SCHEMAS } from './rows/avro-schemas.ts'
import { AVRO_TYPES } from './rows/avro-types.ts'
import { CLOUD_EVENTS } from './rows/cloud-events.ts'
import { DEBEZIUM_OTHERS } from './rows/debezium-others.ts'
import { DEBEZIUM_POSTGRES } from './rows/debezium-postgres.ts'
import { DEBEZIUM_SCHEMAS } from './rows/debezium-schemas.ts'
import { ENGINES } from './rows/engines.ts'
import { JSON_SCHEMA } from './rows/json-schema.ts'
import { JSON_TEXTS } from './rows/json-texts.ts'
import { LOG_SHIPPERS } from './rows/log-shippers.ts'
import { OTHER_CHANGES } from './rows/other-changes.ts'
import { PLAIN_JSON } from './rows/plain-json.ts'
import { PROTOBUF } from './rows/protobuf.ts'
import { READ_TABLES } from './rows/readers.ts'
import { WRITER_SCHEMAS } from './rows/writer-schemas.ts'
import type { CompatibilityRow } from './support/row.ts'

/** All rows of `docs/compatibility.md`. */
export const ROWS: readonly CompatibilityRow[] = [
  ...AVRO_SCHEMAS,
  ...AVRO_TYPES,
  ...DEBEZIUM_POSTGRES,
  ...DEBEZIUM_OTHERS,
  ...PROTOBUF,
  ...JSON_SCHEMA,
  ...PLAIN_JSON,
  ...CLOUD_EVENTS,
  ...LOG_SHIPPERS,
  ...OTHER_CHANGES,
  ...ENGINES,
  ...READ_TABLES,
  ...DEBEZIUM_SCHEMAS,
  ...WRITER_SCHEMAS,
  ...JSON_TEXTS,
]
