import { MENDED_DEBEZIUM } from './rows/mended-debezium.ts'
import { MENDED_JSON } from './rows/mended-json.ts'
import { MENDED_SCHEMAS } from './rows/mended-schemas.ts'
import type { CompatibilityRow } from './support/row.ts'

/** Rows of what was mended last: types by the schema that a value names, and JSON of all kinds. */
export const MENDED: readonly CompatibilityRow[] = [...MENDED_DEBEZIUM, ...MENDED_SCHEMAS, ...MENDED_JSON]
