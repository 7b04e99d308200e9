import { resolvePatternTopic } from '../../../config/topics/entries.ts'
import { excludeReservedTopics, matchingTopicsOf } from '../../../config/topics/patterns.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Logger } from '../../telemetry/log.ts'

/** A topic to run, with the name under which its summary appears. */
export interface NamedTopic {
  readonly name: string
  readonly topic: TopicConfig
}

/** A topic that a pattern matches, but whose options are invalid because of its name. */
interface InvalidTopic {
  /** Key of the entry in `topics`. */
  readonly entry: string
  readonly topic: string
  readonly faults: readonly string[]
}

/** Holds the topics that the patterns of a configuration match, and those of them that are not read. */
interface DiscoveredTopics {
  readonly found: readonly NamedTopic[]
  readonly invalid: readonly InvalidTopic[]
  /** Matching topics in excess of `topicsMax`, by entry. */
  readonly overLimit: Readonly<Record<string, readonly string[]>>
}

/**
 * Returns the topics among `names` that the patterns match, each for the first entry that matches it. Topics with an
 * entry of their own and dead-letter topics are left out. When an entry matches more than `topicsMax` topics, those
 * in `kept` take precedence, then the order is by name. Topics whose options are invalid do not count.
 */
export function discoverTopics(
  config: Config,
  names: readonly string[],
  kept: ReadonlySet<string> = new Set(),
): DiscoveredTopics {
  const taken = new Set(
    Object.values(config.topics).flatMap(({ topic, deadLetters }) => [topic, deadLetters.topic]),
  )
  const candidates = excludeReservedTopics(config.patterns, names)
  const found: NamedTopic[] = []
  const invalid: InvalidTopic[] = []
  const overLimit: Record<string, readonly string[]> = {}
  for (const [name, entry] of Object.entries(config.patterns)) {
    const matches = matchingTopicsOf(entry, candidates).filter((topic) => !taken.has(topic))
    const sorted = [...matches].sort((a, b) => Number(kept.has(b)) - Number(kept.has(a)))
    for (const topic of matches) taken.add(topic)
    let count = 0
    for (const [index, topic] of sorted.entries()) {
      if (count === entry.topicsMax) {
        overLimit[name] = sorted.slice(index)
        break
      }
      const { values, faults } = resolvePatternTopic(name, entry, topic, config.kafka.groupId)
      if (faults.length > 0) invalid.push({ entry: name, topic, faults })
      else {
        found.push({ name: `${name}/${topic}`, topic: values })
        count++
      }
    }
  }
  return { found, invalid, overLimit }
}

/** Logs topics with invalid options, each once: those whose names are in `reported` are left out, others added to it. */
export function reportInvalidTopics(
  { invalid }: DiscoveredTopics,
  reported: Set<string>,
  log: Pick<Logger, 'error'>,
): void {
  for (const { entry, topic, faults } of invalid) {
    const name = `${entry}/${topic}`
    if (reported.has(name)) continue
    reported.add(name)
    log.error(
      { entry, topic, faults },
      'A topic matches a pattern but is not read, because its name makes options invalid; give it an entry of its own',
    )
  }
}

/**
 * Refuses to start when a pattern matches more topics than its `topicsMax`.
 * @throws KD_CONFIG_INVALID naming the entry
 */
export function checkTopicsMax(config: Config, { overLimit }: DiscoveredTopics): void {
  for (const [name, topics] of Object.entries(overLimit)) {
    const { topicsMax } = config.patterns[name] ?? { topicsMax: 0 }
    const count = topicsMax + topics.length
    const detail = `topics.${name}.pattern: matches ${count} topics, more than topicsMax (${topicsMax})`
    throw new PipelineError('KD_CONFIG_INVALID', detail)
  }
}
