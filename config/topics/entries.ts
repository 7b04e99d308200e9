import { checkTopic } from './check.ts'
import { optionsOf } from '../option.ts'
import type { OptionValues } from '../option-values.ts'
import { findPatternFault, type PatternConfig } from './patterns.ts'
import { createFaultReporter } from '../report.ts'
import { valueAtKey, fillComputedDefaults, resolveOptions } from '../resolve/resolve.ts'
import { TOPIC_OPTIONS } from '../schema.ts'
import { TOPIC_NAME_OPTIONS, TOPIC_SELECTORS, type TopicSelector } from './options.ts'
import { fillTemplates, lacksTopicPlaceholder, TOPIC_PLACEHOLDER } from './templates.ts'
import { topicNameFault } from './topic-names.ts'
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
      const deadLetterTopicTemplate = typeof named === 'string' ? named : `${TOPIC_PLACEHOLDER}-dlq`
      patterns[name] = { pattern, topicsMax, deadLetterTopicTemplate, givenOptions: given }
    } else if (list !== undefined) Object.assign(topics, list)
    else topics[name] = values
  }
  return { topics, patterns }
}

/** Holds the options of a topic that matches a pattern, and what is wrong with them for this topic. */
interface PatternTopic {
  readonly values: TopicConfig
  readonly faults: readonly string[]
}

/**
 * Returns the options of one Kafka topic that matches the pattern of an entry, or with `{topic}` in place of its name
 * if `topic` is undefined. The entry must have passed `resolveTopicEntries`; a name may still be too long for the
 * dead-letter topic that is derived from it, or lead to the location of another table.
 */
export function resolvePatternTopic(
  name: string,
  entry: PatternConfig,
  topic: string | undefined,
  groupId: string,
): PatternTopic {
  const faults: string[] = []
  const given = omitTopicSelection(entry.givenOptions as JsonTree)
  const { values } = resolveTopic(name, topic, given, groupId, (fault) => void faults.push(fault))
  return { values, faults }
}

interface ResolvedEntry {
  readonly values: TopicConfig
  /** Topics of a list by their names `<entry>/<topic>`. */
  readonly list: Readonly<Record<string, TopicConfig>> | undefined
  readonly pattern: string | undefined
  readonly topicsMax: number
}

function resolveEntry(name: string, given: JsonTree, groupId: string, report: ReportText): ResolvedEntry {
  const named = given['topic']
  const selectors = ['topic', 'topics', 'pattern'].filter((key) => (given[key] ?? undefined) !== undefined)
  const isSingle = !selectors.includes('topics') && !selectors.includes('pattern')
  const topic = !isSingle ? undefined : typeof named === 'string' ? named : name
  const faults: string[] = []
  const { values, invalidKeys, selection } = resolveTopic(name, topic, given, groupId, (fault) => {
    faults.push(fault)
    report(fault)
  })
  const { topics: list, pattern, topicsMax } = selection
  const reportFault = createFaultReporter(invalidKeys, `topics.${name}.`, report)
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
  const topics = createRecord<TopicConfig>()
  for (const each of list ?? []) {
    const nameFault = topicNameFault(each)
    if (nameFault !== undefined) reportFault(['topics'], nameFault)
    // Faults of an option that all topics share have been reported once, for the entry.
    const reportNew = (text: string): void => {
      if (nameFault === undefined && !faults.some((known) => keyOf(known) === keyOf(text))) report(text)
    }
    topics[`${name}/${each}`] = resolveTopic(name, each, omitTopicSelection(given), groupId, reportNew).values
  }
  return {
    values,
    list: list === undefined ? undefined : topics,
    pattern: fault === undefined ? pattern : undefined,
    topicsMax,
  }
}

function keyOf(fault: string): string {
  return fault.slice(0, fault.indexOf(': '))
}

/** Options that select Kafka topics; they are removed from the resolved options of a topic. */
type TopicSelection = Pick<OptionValues<typeof TOPIC_NAME_OPTIONS>, TopicSelector>

interface ResolvedTopic {
  readonly values: TopicConfig
  readonly invalidKeys: ReadonlySet<string>
  readonly selection: TopicSelection
}

/** Resolves the options of one topic, or of a topic that is not known yet if `topic` is undefined. */
function resolveTopic(
  name: string,
  topic: string | undefined,
  given: JsonTree,
  groupId: string,
  report: ReportText,
): ResolvedTopic {
  const prefix = `topics.${name}.`
  const facts = { topic: topic ?? TOPIC_PLACEHOLDER, name }
  const { values: resolved, invalidKeys: invalid } = resolveOptions(
    fillTemplates(given, TOPIC_OPTIONS, facts),
    TOPIC_OPTIONS,
    prefix,
    {},
    report,
  )
  const invalidKeys = new Set(invalid)
  const nameFault = topic === undefined || topic.trim() === '' ? undefined : topicNameFault(topic)
  if (nameFault !== undefined && !invalidKeys.has('topic')) {
    const hint = given['topic'] === undefined ? ' (the name of the entry): set topic' : ''
    report(`${prefix}topic: ${nameFault}${hint}`)
    invalidKeys.add('topic')
  }
  const values = fillComputedDefaults(resolved, TOPIC_OPTIONS, {
    ...facts,
    groupId,
    flushBytes: resolved.flush.bytes,
  })
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
