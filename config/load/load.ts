import { dirname, resolve } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { checkRegistry } from '../format/check-format.ts'
import { checkService, checkTopics } from '../topics/check.ts'
import { createFaultReporter } from '../report.ts'
import { removeDisabledSections, resolveOptions } from '../resolve/resolve.ts'
import { optionsOf } from '../option.ts'
import { resolveTopicEntries } from '../topics/entries.ts'
import { createConfigError } from './faults.ts'
import { readSecretFiles } from './secret-files.ts'
import { SERVICE_OPTIONS } from '../schema.ts'
import {
  createJsonTree,
  isJsonTree,
  mergeTrees,
  readJsonFile,
  parseAssignment,
  resolvePaths,
  type JsonTree,
} from '../tree.ts'
import type { Config } from '../types.ts'

/** Lists the sources of a configuration, from lowest to highest precedence: `files`, `object`, `env`, `set`. */
export interface ConfigSources {
  /** JSON files; later files override earlier ones, objects merge key by key. */
  readonly files?: readonly string[]
  /**
   * Configuration object built in code; it overrides the files. Relative paths are resolved against the
   * working directory.
   */
  readonly object?: object
  /** Environment variables; empty ones count as unset. Default: none, so pass `process.env` to use the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Assignments `key=value` with dotted keys. The value is JSON if it parses, otherwise text. */
  readonly set?: readonly string[]
  /** Requires at least one entry of `topics`. Default: false. */
  readonly needsTopic?: boolean
}

/**
 * Loads a configuration, fills in defaults and checks it. The result is deeply frozen and needs no further
 * check. Reads configuration, secret and contract files synchronously: call it once, at the start.
 *
 * @throws KD_CONFIG_INVALID with every fault at once, one per line.
 */
export function loadConfig(sources: ConfigSources): Config {
  const faults: string[] = []
  const report = (fault: string): void => void faults.push(fault)
  const sourceTree = readSources(sources, report)
  reportIllFormedText(sourceTree, '', report)
  const { topics, ...service } = sourceTree
  const config = resolveService(service, topics, sources, report)
  if (faults.length > 0) throw createConfigError(faults, topics)
  return deepFreeze(config)
}

function readSources(sources: ConfigSources, report: (fault: string) => void): JsonTree {
  let tree = createJsonTree()
  for (const file of sources.files ?? []) {
    try {
      const content = readJsonFile(file)
      if (isJsonTree(content)) tree = mergeTrees(tree, resolvePaths(content, dirname(resolve(file))))
      else report(`${file}: must contain a JSON object`)
    } catch (error) {
      report(`${file}: cannot be read as JSON: ${messageOf(error)}`)
    }
  }
  if (sources.object !== undefined) {
    tree = mergeTrees(tree, resolvePaths(mergeTrees(createJsonTree(), { ...sources.object }), process.cwd()))
  }
  for (const assignment of sources.set ?? []) {
    const topics = tree['topics']
    const over = parseAssignment(assignment, isJsonTree(topics) ? Object.keys(topics) : [])
    if (over === undefined) report(`--set ${assignment}: must be key=value`)
    else tree = mergeTrees(tree, resolvePaths(over, process.cwd()))
  }
  return tree
}

// Names and texts of the configuration end up in tables, topics and logs, where other programs refuse such text.
function reportIllFormedText(value: unknown, key: string, report: (fault: string) => void): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      report(`${key}: must be well-formed Unicode: the value has half of a surrogate pair`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      const below = Array.isArray(value) ? `${key}[${name}]` : key === '' ? name : `${key}.${name}`
      if (name.isWellFormed()) reportIllFormedText(inner, below, report)
      else
        report(`${key === '' ? '' : `${key}: `}the name ${JSON.stringify(name)} must be well-formed Unicode`)
    }
  }
}

// Makes `topics` a known name when a misspelt key is compared; its entries are resolved one by one with
// TOPIC_OPTIONS.
const TOPICS_OPTION = { doc: 'Topics to ingest, by name.', format: 'map', default: [] } as const

function resolveService(
  service: JsonTree,
  topics: unknown,
  sources: ConfigSources,
  report: (fault: string) => void,
): Config {
  const withTopics = { ...SERVICE_OPTIONS, topics: TOPICS_OPTION }
  const options: typeof SERVICE_OPTIONS = withTopics
  const { values, invalidKeys } = resolveOptions(service, options, '', effectiveEnvironment(sources), report)
  const reportFault = createFaultReporter(invalidKeys, '', report)
  readSecretFiles(values, SERVICE_OPTIONS, reportFault)
  checkService(values, reportFault)

  if (topics !== undefined && !isJsonTree(topics)) {
    report('topics: must be an object that maps names to options of a topic')
  } else if (sources.needsTopic === true && Object.keys(topics ?? {}).length === 0) {
    report('topics: must have at least one entry')
  }
  const entries = resolveTopicEntries(isJsonTree(topics) ? topics : {}, values.kafka.groupId, report)
  checkTopics(entries.topics, createFaultReporter(new Set(), '', report))
  checkRegistry(entries.topics, values.schemaRegistry, reportFault)
  return Object.assign(createJsonTree(), removeDisabledSections(values, SERVICE_OPTIONS), entries)
}

// Assignments override the environment, but convict lets the environment override everything that is loaded.
// So variables of assigned options are removed.
function effectiveEnvironment(sources: ConfigSources): Record<string, string> {
  const assigned = new Set(
    (sources.set ?? []).map((assignment) => assignment.slice(0, assignment.indexOf('=')).trim()),
  )
  const overridden = new Set<string | undefined>()
  for (const { key, option } of optionsOf(SERVICE_OPTIONS)) {
    const path = key.split('.')
    if (path.some((_, index) => assigned.has(path.slice(0, index + 1).join('.')))) {
      overridden.add('env' in option ? option.env : undefined)
    }
  }
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(sources.env ?? {})) {
    if (value !== undefined && value !== '' && !overridden.has(name)) env[name] = value
  }
  return env
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child)
    Object.freeze(value)
  }
  return value
}
