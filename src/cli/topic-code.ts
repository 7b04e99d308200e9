import type { TopicConfig } from '../../config/types.ts'
import { runThenCleanUp } from '../core/concurrency.ts'
import type { TopicExtensions } from '../service/operators/extensions.ts'
import type { Logger } from '../telemetry/log.ts'

/**
 * Runs `use` with the operators of a topic, which are loaded and released for it; a topic without any has none.
 * @throws the errors of `makeTopicCode` and of `use`
 */
export async function withTopicCode<T>(
  name: string,
  topic: TopicConfig,
  use: (code: TopicExtensions) => Promise<T>,
  log?: Logger,
): Promise<T> {
  if (topic.operators === undefined) return await use({})
  const { makeTopicCode } = await import('../service/operators/topic-code.ts')
  const { createLogger } = await import('../telemetry/log.ts')
  const code = (await makeTopicCode(name, topic, { log: log ?? createLogger({ level: 'silent' }) })) ?? {}
  return await runThenCleanUp(
    () => use(code),
    async () => {
      await code.close?.()
    },
  )
}
