import type { Scenario } from '../support/scenario.ts'
import { BROKER_SCENARIOS } from './brokers.ts'
import { DISK_SCENARIOS } from './disk.ts'
import { GROUP_SCENARIOS } from './groups.ts'
import { LETTER_SCENARIOS } from './letters.ts'
import { REGISTRY_SCENARIOS } from './registry.ts'
import { SECURITY_SCENARIOS } from './security.ts'
import { SERVICE_SCENARIOS } from './service.ts'
import { STORE_SCENARIOS } from './stores.ts'
import { TABLE_SCENARIOS } from './tables.ts'
import { TOPIC_SCENARIOS } from './topics.ts'

/** All scenarios in the order in which they are played: those that need other brokers come last. */
export const SCENARIOS: readonly Scenario[] = [
  ...SERVICE_SCENARIOS,
  ...STORE_SCENARIOS,
  ...DISK_SCENARIOS,
  ...REGISTRY_SCENARIOS,
  ...TABLE_SCENARIOS,
  ...TOPIC_SCENARIOS,
  ...LETTER_SCENARIOS,
  ...GROUP_SCENARIOS,
  ...BROKER_SCENARIOS,
  ...SECURITY_SCENARIOS,
]
