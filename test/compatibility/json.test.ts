// Goal: what producers of JSON write becomes the columns, values and dead letters that docs/compatibility.md states.
import { JSON_SCHEMA } from './rows/json-schema.ts'
import { JSON_TEXTS } from './rows/json-texts.ts'
import { PLAIN_JSON } from './rows/plain-json.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('JSON Schema', JSON_SCHEMA)
compatibilityTests('JSON without a schema', PLAIN_JSON)
compatibilityTests('Texts and structures of JSON', JSON_TEXTS)
