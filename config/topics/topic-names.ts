import { deadLetterSinksOf } from '../dead-letters/sinks.ts'
import type { ReportFault } from '../report.ts'
import type { TopicConfig } from '../types.ts'
import { fillPlaceholder } from './templates.ts'

const CHARACTERS_MAX = 249

/** Returns why no broker takes `name` as the name of a topic, as the end of a sentence, or `undefined`. */
export function topicNameFault(name: string): string | undefined {
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    return `must consist of ASCII letters, digits, ".", "_" and "-": value was ${JSON.stringify(name)}`
  if (name === '.' || name === '..') return `must not be "." or "..": value was ${JSON.stringify(name)}`
  if (name.length > CHARACTERS_MAX)
    return `must have at most ${CHARACTERS_MAX} characters: value was ${JSON.stringify(name)} with ${name.length}`
  return undefined
}

/** Reports a dead-letter topic that no broker takes, when dead letters are written to it. */
export function checkDeadLetterTopic(topic: TopicConfig, report: ReportFault): void {
  if (!deadLetterSinksOf(topic).topic) return
  const { topic: name } = topic.deadLetters
  const fault = topicNameFault(fillPlaceholder(name))
  if (fault === undefined) return
  // The default follows the topic, so a topic whose own name is refused is reported only once.
  if (name === `${topic.topic}-dlq`)
    report(['deadLetters.topic', 'topic'], `${fault}; it is the default \`<topic>-dlq\`: set another name`)
  else report(['deadLetters.topic'], fault)
}
