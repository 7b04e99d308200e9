import type { Config } from '../../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../telemetry/log.ts'
import { discoverTopics, reportInvalidTopics, type NamedTopic } from './discover.ts'
import type { TopicSet } from './topic-set.ts'
import type { SupervisedTopic } from './supervised-topic.ts'

/** Describes how patterns are watched. */
interface WatchTopicsOptions {
  readonly config: Config
  readonly topicSet: TopicSet
  /** Names of the topics that patterns have discovered; kept up to date. */
  readonly discovered: Set<string>
  /** Names of the topics whose invalid options were logged; kept up to date. */
  readonly reported: Set<string>
  readonly listTopics: () => Promise<readonly string[]>
  readonly supervise: (topic: NamedTopic) => SupervisedTopic
  readonly log: Logger
  readonly clock: Clock
}

/**
 * Asks the brokers every `kafka.discoverEveryMs`, starts topics that have appeared and stops topics that were
 * deleted, until the set of topics stops. Failures are logged and tried again at the next interval.
 */
export async function watchTopics(options: WatchTopicsOptions): Promise<void> {
  const { config, topicSet, log, clock } = options
  while (await hasElapsed(clock, config.kafka.discoverEveryMs, topicSet.stopSignal)) {
    try {
      await refreshTopics(options)
    } catch (error) {
      log.warn({ err: error }, 'Could not list the topics of the cluster; trying again at the next interval')
    }
  }
}

/** Resolves to true when the time has passed, and to false when `signal` is aborted first. */
async function hasElapsed(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return await clock.sleep(ms, signal).then(
    () => true,
    () => false,
  )
}

async function refreshTopics(options: WatchTopicsOptions): Promise<void> {
  const { config, topicSet, discovered, log } = options
  const names = await options.listTopics()
  for (const run of topicSet.topics.filter(({ name }) => discovered.has(name))) {
    const exists = names.includes(run.topic)
    // One that has ended was deleted; if it is there again, it is a new topic, which is started below.
    if (exists && run.status.state !== 'ended') continue
    await topicSet.stopTopic(run)
    discovered.delete(run.name)
    if (exists) continue
    log.info({ topic: run.topic }, 'The topic was deleted: stopped reading it; its table is unchanged')
  }
  // Topics whose trial failed are started again below.
  for (const run of topicSet.topics.filter((each) => topicSet.hasFailedTrial(each))) {
    await topicSet.stopTopic(run)
    discovered.delete(run.name)
  }
  const kept = new Set(topicSet.topics.map(({ topic }) => topic))
  const topics = discoverTopics(config, names, kept)
  reportInvalidTopics(topics, options.reported, log)
  const { found, overLimit } = topics
  for (const [entry, topics] of Object.entries(overLimit)) {
    log.error(
      { entry, topics: topics.slice(0, 10), count: topics.length },
      'The pattern matches more topics than topicsMax: these are not read; raise topicsMax or narrow the pattern',
    )
  }
  for (const topic of found.filter(({ name }) => !discovered.has(name))) {
    if (topicSet.stopSignal.aborted) return
    const run = options.supervise(topic)
    discovered.add(topic.name)
    topicSet.add(run)
    topicSet.start(run, { isTrial: true })
    log.info(
      { name: topic.name, topic: topic.topic.topic },
      'A new topic matches a pattern: started reading it',
    )
  }
}
