import { checkTopic } from './check.ts'
import { optionsOf } from '../option.ts'
import type { OptionValues } from '../option-values.ts'
import { findPatternFault, type PatternConfig } from './patterns.ts'
import { createFaultReporter } from '../report.ts'
import { valueAtKey, fillComputedDefaults, resolveOptions } from '../resolve/resolve.ts'
import { TOPIC_OPTIONS } from '../schema.ts'
import { TOPIC_NAME_OPTIONS, TOPIC_SELECTORS, type TopicSelector } from './options.ts'
import { fillTemplates, lacksTopicPlaceholder } from './templates.ts'
import { createJsonTree, createRecord, isJsonTree, type JsonTree } from '../tree.ts'
import type { TopicConfig } from '../types.ts'

/** Holds the entries of `topics`: one per Kafka topic that is named, and those that match topics by a pattern. */
interface TopicEntries {
  readonly topics: Readonly<Record<string, TopicConfig>>
  readonly patterns: Readonly<Record<string, PatternConfig>>
}

type ReportText = (fault: string) => void

/** Fills in defaults and checks all entries of `topics`. Reports every fault with its full key. */
export function resolveTopicEntries(entries: JsonTree, groupId: string, report: ReportText): TopicEntries {
  const topics = createRecord<TopicConfig>()
  const patterns = createRecord<PatternConfig>()
  for (const [name, given] of Object.entries(entries)) {
    if (name.trim() === '') report('topics: the name of an entry must not be empty')
    if (!isJsonTree(given)) {
      report(`topics.${name}: must be an object with ${Object.keys(TOPIC_OPTIONS).join(', ')}`)
      continue
    }
    const { values, list, pattern, topicsMax } = resolveEntry(name, given, groupId, report)
    if (pattern !== undefined) {
      const named = valueAtKey(given, 'deadLetters.topic')
      const deadLetterTopicTemplate = typeof named === 'string' ? named : '{topic}-dlq'
      patterns[name] = { pattern, topicsMax, deadLetterTopicTemplate, givenOptions: given }
    } else if (list !== undefined) {
      for (const topic of list) {
        topics[`${name}/${topic}`] = resolveTopic(
          name,
          topic,
          omitTopicSelection(given),
          groupId,
          () => undefined,
        ).values
      }
    } else topics[name] = values
  }
  return { topics, patterns }
}

/**
 * Returns the options of one Kafka topic that matches the pattern of an entry. The entry must have passed
 * `resolveTopicEntries`.
 */
export function resolvePatternTopic(
  name: string,
  entry: PatternConfig,
  topic: string,
  groupId: string,
): TopicConfig {
  const faults: string[] = []
  const given = omitTopicSelection(entry.givenOptions as JsonTree)
  const { values } = resolveTopic(name, topic, given, groupId, (fault) => void faults.push(fault))
  if (faults.length > 0)
    throw new Error(`Broken invariant: a checked entry of topics is invalid: ${faults.join('; ')}`)
  return values
}

interface ResolvedEntry {
  readonly values: TopicConfig
  readonly list: readonly string[] | undefined
  readonly pattern: string | undefined
  readonly topicsMax: number
}

function resolveEntry(name: string, given: JsonTree, groupId: string, report: ReportText): ResolvedEntry {
  const named = given['topic']
  const topic = typeof named === 'string' ? named : name
  const { values, invalidKeys, selection } = resolveTopic(name, topic, given, groupId, report)
  const { topics: list, pattern, topicsMax } = selection
  const reportFault = createFaultReporter(invalidKeys, `topics.${name}.`, report)
  const selectors = ['topic', 'topics', 'pattern'].filter((key) => (given[key] ?? undefined) !== undefined)
  if (selectors.length > 1)
    reportFault(selectors, `only one of topic, topics and pattern may be set: ${selectors.join(' and ')} are`)
  if (list?.length === 0) reportFault(['topics'], 'must name at least one topic')
  if (list !== undefined && list.length > topicsMax)
    reportFault(
      ['topics', 'topicsMax'],
      `must name at most topicsMax (${topicsMax}) topics: it names ${list.length}`,
    )
  const duplicate = list?.find((each, index) => list.indexOf(each) !== index)
  if (duplicate !== undefined) reportFault(['topics'], `names ${JSON.stringify(duplicate)} twice`)
  const fault = pattern === undefined ? undefined : findPatternFault(pattern)
  if (fault !== undefined) reportFault(['pattern'], fault)
  if ((list !== undefined || pattern !== undefined) && lacksTopicPlaceholder(given, 'appId'))
    reportFault(['appId'], 'must contain {topic}, so that each topic has its own appId')
  return { values, list, pattern: fault === undefined ? pattern : undefined, topicsMax }
}

/** Options that select Kafka topics; they are removed from the resolved options of a topic. */
type TopicSelection = Pick<OptionValues<typeof TOPIC_NAME_OPTIONS>, TopicSelector>

interface ResolvedTopic {
  readonly values: TopicConfig
  readonly invalidKeys: ReadonlySet<string>
  readonly selection: TopicSelection
}

function resolveTopic(
  name: string,
  topic: string,
  given: JsonTree,
  groupId: string,
  report: ReportText,
): ResolvedTopic {
  const prefix = `topics.${name}.`
  const { values: resolved, invalidKeys } = resolveOptions(
    fillTemplates(given, TOPIC_OPTIONS, { topic, name }),
    TOPIC_OPTIONS,
    prefix,
    {},
    report,
  )
  const input = { name, topic, groupId, flushBytes: resolved.flush.bytes }
  const values = fillComputedDefaults(resolved, TOPIC_OPTIONS, input)
  const selection: TopicSelection = { ...values }
  for (const key of TOPIC_SELECTORS) Reflect.deleteProperty(values, key)
  checkTopic(values, createFaultReporter(invalidKeys, prefix, report))
  return { values, invalidKeys, selection }
}

/** Returns the options without those that select topics, so that they can be resolved for a single topic. */
function omitTopicSelection(given: JsonTree): JsonTree {
  const names = optionsOf(TOPIC_NAME_OPTIONS).map(({ key }) => key)
  return Object.assign(
    createJsonTree(),
    Object.fromEntries(Object.entries(given).filter(([key]) => !names.includes(key))),
  )
}
