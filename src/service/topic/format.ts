import type { Config, TopicConfig } from '../../../config/types.ts'
import type { Format } from '../../formats/format.ts'
import { mayNeedRegistry } from '../../formats/open/candidates.ts'
import { openFormat } from '../../formats/open/open.ts'
import type { ColumnThreads } from '../../formats/open/read-ahead.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import { withTombstones } from '../../formats/open/tombstones.ts'
import type { ExtensionFormat } from '../operators/extensions.ts'
import { openExtensionFormat } from '../operators/guards.ts'
import { registryOptionsOf } from '../connections/registry-options.ts'
import type { Target } from '../table/target.ts'

/**
 * Opens the format that decodes the records of a topic for its table. With `circuits`, a failing schema registry is
 * waited for; `threads` decode into columns; `extension` takes the place of the configured format.
 * @throws the errors of `openFormat`
 */
export async function openTopicFormat(
  topic: TopicConfig,
  config: Pick<Config, 'schemaRegistry'>,
  target: Pick<Target, 'formatOptions' | 'columns'>,
  circuits?: Circuits,
  extension?: ExtensionFormat,
  threads?: ColumnThreads,
): Promise<Format> {
  const format =
    extension === undefined
      ? await openFormat(
          { ...topic, ...registryOptionsOf(config, topic, circuits) },
          target.formatOptions,
          threads,
        )
      : await openExtensionFormat(extension, target.formatOptions, topic.topic)
  const mayFrameKeys = config.schemaRegistry !== undefined && mayNeedRegistry(topic)
  return withTombstones(format, { ...topic, mayFrameKeys }, target.columns)
}
