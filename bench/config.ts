import { loadConfig } from '../config/load/load.ts'
import type { Config } from '../config/types.ts'
import { INGEST_ENTRY, planIngest } from '../src/ingest/plan.ts'
import type { Task } from './measured.ts'

/** Returns the configuration of a measured pipeline: defaults, apart from the options of the shape. */
export function configOf(task: Task): Config {
  const { brokers, topic, groupId, topicConfig, registryUrl } = task
  if (task.ingestTransforms !== undefined) return ingestConfigOf(task)
  return loadConfig({
    object: {
      kafka: { brokers, groupId },
      log: { level: 'warn' },
      workers: task.workers ?? 0,
      ...(registryUrl === undefined ? {} : { schemaRegistry: { url: registryUrl } }),
      topics: { [topic]: topicConfig },
    },
  })
}

/** Returns the name of the entry of `topics` that reads the topic. */
export function entryOf({ topic, ingestTransforms }: Task): string {
  return ingestTransforms === undefined ? topic : INGEST_ENTRY
}

function ingestConfigOf({ brokers, topic, groupId, topicConfig, ingestTransforms = [] }: Task): Config {
  const { table = {} } = topicConfig
  const plan = planIngest(
    {
      ...{ topic, table_location: (table as { uri: string }).uri, kafka: brokers.join() },
      ...{ consumer_group: groupId, app_id: 'bench', auto_offset_reset: 'earliest' },
      ...{ transform: ingestTransforms, ends_at_latest_offsets: true },
    },
    {},
  )
  return loadConfig({ object: plan.config, env: plan.env, set: ['log.level=warn'], needsTopic: true })
}
