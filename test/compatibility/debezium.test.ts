// Goal: what Debezium writes becomes the columns, values and dead letters that docs/compatibility.md states.
import { DEBEZIUM_OTHERS } from './rows/debezium-others.ts'
import { DEBEZIUM_POSTGRES } from './rows/debezium-postgres.ts'
import { DEBEZIUM_SCHEMAS } from './rows/debezium-schemas.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('Debezium for PostgreSQL', DEBEZIUM_POSTGRES)
compatibilityTests('Debezium for other databases', DEBEZIUM_OTHERS)
compatibilityTests('Debezium with schemas', DEBEZIUM_SCHEMAS)
