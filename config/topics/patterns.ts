import { RE2JS } from 're2js'
import { messageOf } from '../../src/core/errors.ts'

/** An entry of `topics` whose topics are found by asking the brokers. */
export interface PatternConfig {
  /** A regular expression (RE2) that matches whole names. */
  readonly pattern: string
  readonly topicsMax: number
  /** What dead-letter topics are called, `{topic}` where the topic's name stands. */
  readonly deadLetterTopics: string
  /** The options as they were given, for each topic to be completed. */
  readonly given: object
}

const CHARACTERS_MAX = 500

/** What is wrong with a pattern; `undefined` when nothing is. */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > CHARACTERS_MAX) return `must have at most ${CHARACTERS_MAX} characters`
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return `must be a regular expression: ${messageOf(error)}`
  }
}

/** Which of these topics the patterns of some entries could read: no internal ones, no dead letters of theirs. */
export function candidatesOf(
  patterns: Readonly<Record<string, PatternConfig>>,
  topics: readonly string[],
): readonly string[] {
  const templates = Object.values(patterns).map(({ deadLetterTopics }) => deadLetterTopics)
  return topics.filter(
    (topic) => !topic.startsWith('__') && !templates.some((template) => isOf(template, topic)),
  )
}

/** Those whose whole names match, sorted. */
export function matchesOf({ pattern }: PatternConfig, topics: readonly string[]): readonly string[] {
  // Linear in the name, whatever the pattern.
  const expression = RE2JS.compile(pattern)
  return topics.filter((topic) => expression.matches(topic)).sort()
}

/** Whether a name could come of a template. */
function isOf(template: string, name: string): boolean {
  const [before = '', ...rest] = template.split('{topic}')
  const last = rest.at(-1)
  if (last === undefined) return name === template
  return name.length > before.length + last.length && name.startsWith(before) && name.endsWith(last)
}
