import { findPackageFile } from '../src/cli/package-file.ts'
import { loadConfig } from '../config/load/load.ts'
import type { Config } from '../config/types.ts'
import type { Task } from './measured.ts'

/** Returns the configuration of a measured pipeline: user events with their contract, and defaults otherwise. */
export function configOf({ brokers, topic, groupId, topicConfig }: Task): Config {
  return loadConfig({
    object: {
      kafka: { brokers, groupId },
      log: { level: 'warn' },
      topics: {
        [topic]: { contract: findPackageFile('schemas/user-events.schema.json'), ...topicConfig },
      },
    },
  })
}
