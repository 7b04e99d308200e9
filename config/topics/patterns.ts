import { RE2JS } from 're2js'
import { messageOf } from '../../src/core/errors.ts'

/** Describes an entry of `topics` that matches Kafka topics by a pattern. */
export interface PatternConfig {
  /** Regular expression (RE2) that must match the whole topic name. */
  readonly pattern: string
  readonly topicsMax: number
  /** Name of the dead-letter topics; `{topic}` stands for the Kafka topic. */
  readonly deadLetterTopicTemplate: string
  /** Options as configured, before defaults are filled in for each topic. */
  readonly givenOptions: object
}

const CHARACTERS_MAX = 500

/** Returns why the pattern is invalid, as the end of a sentence, or `undefined` when it is valid. */
export function findPatternFault(pattern: string): string | undefined {
  if (pattern.length > CHARACTERS_MAX) return `must have at most ${CHARACTERS_MAX} characters`
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return `must be a regular expression: ${messageOf(error)}`
  }
}

/** Returns the topics that a pattern may match: without internal topics (`__…`) and the entries' dead-letter topics. */
export function excludeReservedTopics(
  patterns: Readonly<Record<string, PatternConfig>>,
  topics: readonly string[],
): readonly string[] {
  const templates = Object.values(patterns).map(({ deadLetterTopicTemplate }) => deadLetterTopicTemplate)
  return topics.filter(
    (topic) => !topic.startsWith('__') && !templates.some((template) => isFromTemplate(template, topic)),
  )
}

/** Returns the topics whose whole name matches the pattern, sorted by name. */
export function matchingTopicsOf({ pattern }: PatternConfig, topics: readonly string[]): readonly string[] {
  // RE2 matches in time linear in the length of the name, for every pattern.
  const expression = RE2JS.compile(pattern)
  return topics.filter((topic) => expression.matches(topic)).sort()
}

/** Returns whether a topic name can be produced from a template with `{topic}`. */
function isFromTemplate(template: string, name: string): boolean {
  const [before = '', ...rest] = template.split('{topic}')
  const last = rest.at(-1)
  if (last === undefined) return name === template
  return name.length > before.length + last.length && name.startsWith(before) && name.endsWith(last)
}
