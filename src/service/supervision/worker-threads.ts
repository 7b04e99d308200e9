import type { Config } from '../../../config/types.ts'
import type { Logger } from '../../telemetry/log.ts'
import { openThreads, type Threads } from '../../threads/threads.ts'

/**
 * Starts the worker threads of the process, if the configuration has some.
 * @throws when threads cannot be started
 */
export async function openWorkerThreads(
  { workers }: Pick<Config, 'workers'>,
  log: Pick<Logger, 'warn'>,
): Promise<Threads | undefined> {
  if (workers === 0) return undefined
  return await openThreads({
    workers,
    onFailure: (error) => {
      log.warn(
        { err: error },
        'A worker thread failed: topics that it worked for are restarted or decode here',
      )
    },
  })
}
