// Goal: what producers write whose values name their types becomes the columns, values and dead letters that docs/compatibility.md states.
import { MENDED } from './mended.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('Mended formats', MENDED)
