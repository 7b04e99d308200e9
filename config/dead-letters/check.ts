import { kafkaSource, parseExpression } from '../transforms/expression.ts'
import { deadLetterSinks, marksOf, plainUri } from './sinks.ts'
import type { Report } from '../report.ts'
import type { TopicConfig } from '../types.ts'

/** Options of a topic's dead letters that do not go together. */
export function checkDeadLetters(topic: TopicConfig, report: Report): void {
  const { deadLetters, table } = topic
  if (deadLetters.topic === topic.topic) {
    report(
      ['deadLetters.topic', 'topic'],
      `must differ from the topic that is read: value was "${topic.topic}"`,
    )
  }
  if (deadLetterSinks(topic).table && deadLetters.table === undefined)
    report(['deadLetters.table', 'deadLetters.to'], 'missing, and deadLetters.to needs it')
  checkTransforms(deadLetters, report)
  if (deadLetters.maxRate !== undefined && deadLetters.mode === 'stop')
    report(['deadLetters.maxRate', 'deadLetters.mode'], 'given, while deadLetters.mode is stop')
  const uris: readonly (readonly [string, string | undefined])[] = [
    ['table.uri', table.uri],
    ['deadLetters.table', deadLetters.table],
    // What is missing is reported where it is read, and is not there to follow from.
    ['deadLetters.marks', (table.uri as string | undefined) === undefined ? undefined : marksOf(topic)],
  ]
  for (const [index, [key, uri]] of uris.entries()) {
    const other = uris.slice(0, index).find(([, before]) => isSame(uri, before))
    if (other !== undefined) report([key, other[0]], `must be another table than ${other[0]}: ${uri}`)
  }
}

function checkTransforms({ transforms, table }: TopicConfig['deadLetters'], report: Report): void {
  for (const [column, text] of Object.entries(transforms)) {
    const keys = [`deadLetters.transforms.${column}`, 'deadLetters.transforms']
    if (table === undefined) report(keys, 'given, while deadLetters.table is not')
    if (column.includes('.')) report(keys, 'must be the name of a column, not a path')
    if (kafkaSource(text) !== undefined) continue
    const parsed = parseExpression(text)
    if ('fault' in parsed) report(keys, `${parsed.fault}: value was ${JSON.stringify(text)}`)
  }
}

/** Tables of dead letters that get into the way of another topic. */
export function checkDeadLetterTables(topics: Readonly<Record<string, TopicConfig>>, report: Report): void {
  for (const [name, topic] of Object.entries(topics)) {
    const { table } = topic.deadLetters
    if (table === undefined) continue
    for (const [otherName, other] of Object.entries(topics)) {
      if (otherName === name) continue
      const key = `topics.${name}.deadLetters.table`
      if (isSame(table, other.table.uri))
        report([key], `must be another table than topics.${otherName}.table.uri: ${table}`)
      if (name < otherName && isSame(table, other.deadLetters.table) && topic.appId === other.appId)
        report(
          [key, `topics.${otherName}.deadLetters.table`],
          `topics.${otherName} keeps its dead letters there too, under the same appId ${topic.appId}`,
        )
    }
  }
}

function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && plainUri(a) === plainUri(b)
}
