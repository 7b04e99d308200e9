import { checkTopic } from './check.ts'
import { optionsOf } from '../option.ts'
import { patternFault, type PatternConfig } from './patterns.ts'
import { reportOnce } from '../report.ts'
import { at, fillComputed, resolveOptions } from '../load/resolve.ts'
import { TOPIC_OPTIONS } from '../schema.ts'
import { TOPIC_NAME_OPTIONS } from './options.ts'
import { filled, lacksTopic } from './templates.ts'
import { emptyTree, isTree, type Tree } from '../tree.ts'
import type { TopicConfig } from '../types.ts'

/** The entries of `topics`: those whose topics are known, one for each topic, and those whose topics match a pattern. */
export interface Entries {
  readonly topics: Readonly<Record<string, TopicConfig>>
  readonly patterns: Readonly<Record<string, PatternConfig>>
}

type ReportText = (fault: string) => void

/** Completes and checks all entries; every fault is reported with its full key. */
export function resolveEntries(entries: Tree, groupId: string, report: ReportText): Entries {
  const topics = emptyTree()
  const patterns = emptyTree()
  for (const [name, given] of Object.entries(entries)) {
    if (name.trim() === '') report('topics: the name of an entry must not be empty')
    if (!isTree(given)) {
      report(`topics.${name}: must be an object with ${Object.keys(TOPIC_OPTIONS).join(', ')}`)
      continue
    }
    const { values, list, pattern, topicsMax } = resolveEntry(name, given, groupId, report)
    if (pattern !== undefined) {
      const named = at(given, 'deadLetters.topic')
      const deadLetterTopics = typeof named === 'string' ? named : '{topic}-dlq'
      patterns[name] = { pattern, topicsMax, deadLetterTopics, given }
    } else if (list !== undefined) {
      for (const topic of list) {
        topics[`${name}/${topic}`] = resolveTopic(
          name,
          topic,
          withoutNames(given),
          groupId,
          () => undefined,
        ).values
      }
    } else topics[name] = values
  }
  return { topics, patterns } as unknown as Entries
}

/**
 * The options of one topic of an entry with a pattern.
 * @throws never for an entry that `resolveEntries` found no fault with
 */
export function topicOfPattern(
  name: string,
  entry: PatternConfig,
  topic: string,
  groupId: string,
): TopicConfig {
  const faults: string[] = []
  const given = withoutNames(entry.given as Tree)
  const { values } = resolveTopic(name, topic, given, groupId, (fault) => void faults.push(fault))
  if (faults.length > 0)
    throw new Error(`Broken invariant: a checked entry is at fault: ${faults.join('; ')}`)
  return values as unknown as TopicConfig
}

interface Entry {
  readonly values: Tree
  readonly list: readonly string[] | undefined
  readonly pattern: string | undefined
  readonly topicsMax: number
}

function resolveEntry(name: string, given: Tree, groupId: string, report: ReportText): Entry {
  const named = given['topic']
  const topic = typeof named === 'string' ? named : name
  const { values, faulty, named: names } = resolveTopic(name, topic, given, groupId, report)
  const { topics: list, pattern, topicsMax } = names
  const once = reportOnce(faulty, `topics.${name}.`, report)
  const ways = ['topic', 'topics', 'pattern'].filter((key) => (given[key] ?? undefined) !== undefined)
  if (ways.length > 1)
    once(ways, `only one of topic, topics and pattern can be given, and ${ways.join(' and ')} are`)
  if (list?.length === 0) once(['topics'], 'must name at least one topic')
  if (list !== undefined && list.length > topicsMax)
    once(
      ['topics', 'topicsMax'],
      `must name at most topicsMax (${topicsMax}) topics: ${list.length} are given`,
    )
  const twice = list?.find((each, index) => list.indexOf(each) !== index)
  if (twice !== undefined) once(['topics'], `names ${JSON.stringify(twice)} twice`)
  const fault = pattern === undefined ? undefined : patternFault(pattern)
  if (fault !== undefined) once(['pattern'], fault)
  if ((list !== undefined || pattern !== undefined) && lacksTopic(given, 'appId'))
    once(['appId'], 'must hold {topic}, so that each topic has one of its own')
  return { values, list, pattern: fault === undefined ? pattern : undefined, topicsMax }
}

/** What says which topics an entry is about; no part of a topic's own options. */
interface Names {
  readonly topics?: readonly string[]
  readonly pattern?: string
  readonly topicsMax: number
}

interface Resolution {
  readonly values: Tree
  readonly faulty: ReadonlySet<string>
  readonly named: Names
}

function resolveTopic(
  name: string,
  topic: string,
  given: Tree,
  groupId: string,
  report: ReportText,
): Resolution {
  const prefix = `topics.${name}.`
  const { values, faulty } = resolveOptions(
    filled(given, TOPIC_OPTIONS, { topic, name }),
    TOPIC_OPTIONS,
    prefix,
    {},
    report,
  )
  values['topic'] ??= topic
  const named = {
    topics: values['topics'],
    pattern: values['pattern'],
    topicsMax: values['topicsMax'],
  } as Names
  for (const key of Object.keys(named)) Reflect.deleteProperty(values, key)
  fillComputed(values, TOPIC_OPTIONS, { name, topic, groupId, flushBytes: Number(at(values, 'flush.bytes')) })
  checkTopic(values as unknown as TopicConfig, reportOnce(faulty, prefix, report))
  return { values, faulty, named }
}

/** Without the options that say which topics, so that one can be put there. */
function withoutNames(given: Tree): Tree {
  const names = optionsOf(TOPIC_NAME_OPTIONS).map(({ key }) => key)
  return Object.assign(
    emptyTree(),
    Object.fromEntries(Object.entries(given).filter(([key]) => !names.includes(key))),
  )
}
