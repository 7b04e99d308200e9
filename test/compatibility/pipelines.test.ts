// Goal: what other pipelines write becomes the columns, values and dead letters that docs/compatibility.md states.
import { CLOUD_EVENTS } from './rows/cloud-events.ts'
import { ENGINES } from './rows/engines.ts'
import { LOG_SHIPPERS } from './rows/log-shippers.ts'
import { OTHER_CHANGES } from './rows/other-changes.ts'
import { READ_TABLES } from './rows/readers.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('CloudEvents', CLOUD_EVENTS)
compatibilityTests('Log shippers', LOG_SHIPPERS)
compatibilityTests('Change events of others', OTHER_CHANGES)
compatibilityTests('Engines', ENGINES)
compatibilityTests('Tables for readers', READ_TABLES)
