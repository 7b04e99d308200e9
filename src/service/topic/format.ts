import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Format } from '../../formats/format.ts'
import { openFormat } from '../../formats/open/open.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import { withTombstones } from '../../formats/open/tombstones.ts'
import { registryOf } from '../connections/registry-options.ts'
import type { Target } from '../table/target.ts'

/** How the records of a topic are read for its table; with `circuits` a registry that fails is waited for. Throws what `openFormat` throws. */
export async function formatOf(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  target: Pick<Target, 'messages' | 'columns'>,
  circuits?: Circuits,
): Promise<Format> {
  const format = await openFormat({ ...topic, ...registryOf(config, topic, circuits) }, target.messages)
  return withTombstones(format, topic, target.columns)
}
