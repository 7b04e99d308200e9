import { packageFile } from '../src/cli/package-file.ts'
import { loadConfig } from '../config/load/load.ts'
import type { Config } from '../config/types.ts'
import type { Task } from './measured.ts'

/** The configuration of a measured pipeline: the user events with their contract, everything else by default. */
export function configOf({ brokers, topic, groupId, topicConfig }: Task): Config {
  return loadConfig({
    object: {
      kafka: { brokers, groupId },
      log: { level: 'warn' },
      topics: {
        [topic]: { contract: packageFile('schemas/user-events.schema.json'), ...topicConfig },
      },
    },
  })
}
