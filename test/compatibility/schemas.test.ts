// Goal: values that name their schema become the columns, values and dead letters that docs/compatibility.md states.
import { WRITER_SCHEMAS } from './rows/writer-schemas.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('Writers’ schemas', WRITER_SCHEMAS)
