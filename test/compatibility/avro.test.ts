// Goal: what producers with Avro schemas write becomes the columns, values and dead letters that docs/compatibility.md states.
import { AVRO_SCHEMAS } from './rows/avro-schemas.ts'
import { AVRO_TYPES } from './rows/avro-types.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('Avro: types', AVRO_TYPES)
compatibilityTests('Avro: schemas, frames and keys', AVRO_SCHEMAS)
