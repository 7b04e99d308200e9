// Goal: what producers of Protobuf write becomes the columns, values and dead letters that docs/compatibility.md states.
import { PROTOBUF } from './rows/protobuf.ts'
import { compatibilityTests } from './support/check.ts'

compatibilityTests('Protobuf', PROTOBUF)
