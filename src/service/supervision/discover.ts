import { resolvePatternTopic } from '../../../config/topics/entries.ts'
import { excludeReservedTopics, matchingTopicsOf } from '../../../config/topics/patterns.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'

/** A topic to run, with the name under which its summary appears. */
export interface NamedTopic {
  readonly name: string
  readonly topic: TopicConfig
}

/** Holds the topics that the patterns of a configuration match, and the matches in excess of `topicsMax`. */
interface DiscoveredTopics {
  readonly found: readonly NamedTopic[]
  /** Matching topics in excess of `topicsMax`, by entry. */
  readonly overLimit: Readonly<Record<string, readonly string[]>>
}

/**
 * Returns the topics among `names` that the patterns match, each for the first entry that matches it. Topics with an
 * entry of their own and dead-letter topics are left out. When an entry matches more than `topicsMax` topics, those
 * in `kept` take precedence, then the order is by name.
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
  const overLimit: Record<string, readonly string[]> = {}
  for (const [name, entry] of Object.entries(config.patterns)) {
    const matches = matchingTopicsOf(entry, candidates).filter((topic) => !taken.has(topic))
    const sorted = [...matches].sort((a, b) => Number(kept.has(b)) - Number(kept.has(a)))
    const chosen = sorted.slice(0, entry.topicsMax)
    if (chosen.length < matches.length) overLimit[name] = sorted.slice(entry.topicsMax)
    for (const topic of matches) taken.add(topic)
    for (const topic of chosen) {
      const options = resolvePatternTopic(name, entry, topic, config.kafka.groupId)
      found.push({ name: `${name}/${topic}`, topic: options })
    }
  }
  return { found, overLimit }
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
