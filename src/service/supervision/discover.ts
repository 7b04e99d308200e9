import { topicOfPattern } from '../../../config/topics/entries.ts'
import { candidatesOf, matchesOf } from '../../../config/topics/patterns.ts'
import type { Config, TopicConfig } from '../../../config/types.ts'
import { PipelineError } from '../../core/errors.ts'

/** One topic to be carried, under its name in the summary. */
export interface NamedTopic {
  readonly name: string
  readonly topic: TopicConfig
}

/** Which topics the patterns of a configuration match, and which of them are too many. */
export interface Discovery {
  readonly found: readonly NamedTopic[]
  /** By entry, topics that match and are beyond its `topicsMax`. */
  readonly beyond: Readonly<Record<string, readonly string[]>>
}

/**
 * The topics among `names` that the patterns match, each for the first entry that matches it; those with an entry of their
 * own and its dead letters are left out. Beyond an entry's `topicsMax`, the ones among `kept` come first, then by name.
 */
export function discover(
  config: Config,
  names: readonly string[],
  kept: ReadonlySet<string> = new Set(),
): Discovery {
  const taken = new Set(
    Object.values(config.topics).flatMap(({ topic, deadLetters }) => [topic, deadLetters.topic]),
  )
  const candidates = candidatesOf(config.patterns, names)
  const found: NamedTopic[] = []
  const beyond: Record<string, readonly string[]> = {}
  for (const [name, entry] of Object.entries(config.patterns)) {
    const matches = matchesOf(entry, candidates).filter((topic) => !taken.has(topic))
    const sorted = [...matches].sort((a, b) => Number(kept.has(b)) - Number(kept.has(a)))
    const chosen = sorted.slice(0, entry.topicsMax)
    if (chosen.length < matches.length) beyond[name] = sorted.slice(entry.topicsMax)
    for (const topic of matches) taken.add(topic)
    for (const topic of chosen) {
      const options = topicOfPattern(name, entry, topic, config.kafka.groupId)
      found.push({ name: `${name}/${topic}`, topic: options })
    }
  }
  return { found, beyond }
}

/**
 * Holds at the start that no pattern matches more than it may.
 * @throws KD_CONFIG_INVALID naming the entry.
 */
export function checkBounds(config: Config, { beyond }: Discovery): void {
  for (const [name, topics] of Object.entries(beyond)) {
    const { topicsMax } = config.patterns[name] ?? { topicsMax: 0 }
    const count = topicsMax + topics.length
    const detail = `topics.${name}.pattern: matches ${count} topics, more than topicsMax (${topicsMax})`
    throw new PipelineError('KD_CONFIG_INVALID', detail)
  }
}
