import type { Config } from '../../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import { discover, type NamedTopic } from './discover.ts'
import type { Runs } from './topic-set.ts'
import type { SupervisedTopic } from './supervised-topic.ts'

/** What the watch over patterns works with. */
export interface Watch {
  readonly config: Config
  readonly runs: Runs
  /** Names of the topics that patterns found; kept up to date. */
  readonly discovered: Set<string>
  readonly list: () => Promise<readonly string[]>
  readonly supervised: (topic: NamedTopic) => SupervisedTopic
  readonly log: Logger
  readonly clock: Clock
}

/**
 * Asks the brokers every `kafka.discoverEveryMs` and carries topics that have appeared, ends those that are gone, until the
 * runs stop. What cannot be asked or opened now is logged, and tried again the next time.
 */
export async function keepDiscovering(watch: Watch): Promise<void> {
  const { config, runs, log, clock } = watch
  while (await waited(clock, config.kafka.discoverEveryMs, runs.stopping)) {
    try {
      await lookAgain(watch)
    } catch (error) {
      log.warn({ err: error }, 'The brokers could not be asked for topics; asking again later')
    }
  }
}

/** Whether the time has passed, rather than `signal` been aborted. */
async function waited(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return await clock.sleep(ms, signal).then(
    () => true,
    () => false,
  )
}

async function lookAgain(watch: Watch): Promise<void> {
  const { config, runs, discovered, log } = watch
  const names = await watch.list()
  for (const run of runs.live.filter(({ name }) => discovered.has(name))) {
    if (names.includes(run.topic)) continue
    await runs.end(run)
    discovered.delete(run.name)
    log.info({ topic: run.topic }, 'The topic is gone: it is no longer read; its table stays as it is')
  }
  // Begun anew below.
  for (const run of runs.live.filter((each) => runs.isUntried(each))) {
    await runs.end(run)
    discovered.delete(run.name)
  }
  const kept = new Set(runs.live.map(({ topic }) => topic))
  const { found, beyond } = discover(config, names, kept)
  for (const [entry, topics] of Object.entries(beyond)) {
    log.error(
      { entry, topics: topics.slice(0, 10), count: topics.length },
      'More topics match than topicsMax; these are not read',
    )
  }
  for (const topic of found.filter(({ name }) => !discovered.has(name))) {
    if (runs.stopping.aborted) return
    const run = watch.supervised(topic)
    discovered.add(topic.name)
    runs.add(run)
    runs.begin(run, { isTrial: true })
    log.info({ name: topic.name, topic: topic.topic.topic }, 'A new topic matches; it is read from now on')
  }
}
