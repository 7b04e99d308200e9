import { dirname, resolve } from 'node:path'
import { messageOf, PipelineError } from '../../src/core/errors.ts'
import { checkRegistry } from '../format/check-format.ts'
import { checkService, checkTopics } from '../topics/check.ts'
import { reportOnce } from '../report.ts'
import { at, resolveOptions } from './resolve.ts'
import { optionsOf } from '../option.ts'
import { resolveEntries } from '../topics/entries.ts'
import { readSecretFiles } from './secret-files.ts'
import { SERVICE_OPTIONS } from '../schema.ts'
import {
  emptyTree,
  isTree,
  merge,
  readJson,
  treeOfAssignment,
  withAbsolutePaths,
  type Tree,
} from '../tree.ts'
import type { Config, SchemaRegistryConfig } from '../types.ts'

/** Where a configuration comes from, weakest first: `files`, then `env`, then `set`. */
export interface ConfigSources {
  /** JSON files; later ones win, objects merge key by key. */
  readonly files?: readonly string[]
  /** Configuration made in code, laid over the files. Relative paths count from the working directory. */
  readonly object?: object
  /** Environment variables; empty ones count as unset. Default: none, so a caller passes `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Assignments `key=value` with dotted keys; the value is JSON where it parses and text otherwise. */
  readonly set?: readonly string[]
  /** At least one topic must be there. Default false. */
  readonly needsTopic?: boolean
}

/**
 * Loads, completes and checks a configuration; the result is deeply frozen and needs no further check.
 * Reads the files, and the contract files that they name, synchronously: it runs once, at the start.
 *
 * @throws KD_CONFIG_INVALID with every fault at once, one a line.
 */
export function loadConfig(sources: ConfigSources): Config {
  const faults: string[] = []
  const report = (fault: string): void => void faults.push(fault)
  const { topics, ...service } = gather(sources, report)
  const config = resolveService(service, topics, sources, report)
  if (faults.length > 0) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
    throw new PipelineError('KD_CONFIG_INVALID', [count, ...faults.map((fault) => `  ${fault}`)].join('\n'))
  }
  return deepFreeze(config)
}

function gather(sources: ConfigSources, report: (fault: string) => void): Tree {
  let tree = emptyTree()
  for (const file of sources.files ?? []) {
    try {
      const content = readJson(file)
      if (isTree(content)) tree = merge(tree, withAbsolutePaths(content, dirname(resolve(file))))
      else report(`${file}: must hold a JSON object`)
    } catch (error) {
      report(`${file}: cannot be read as JSON: ${messageOf(error)}`)
    }
  }
  if (sources.object !== undefined) {
    tree = merge(tree, withAbsolutePaths(merge(emptyTree(), { ...sources.object }), process.cwd()))
  }
  for (const assignment of sources.set ?? []) {
    const topics = tree['topics']
    const over = treeOfAssignment(assignment, isTree(topics) ? Object.keys(topics) : [])
    if (over === undefined) report(`--set ${assignment}: must be key=value`)
    else tree = merge(tree, withAbsolutePaths(over, process.cwd()))
  }
  return tree
}

// Keeps the name known where a misspelt one is compared; its entries are resolved one by one, by TOPIC_OPTIONS.
const TOPICS_PLACE = { doc: 'Topics by name.', format: 'map', default: [] } as const

function resolveService(
  service: Tree,
  topics: unknown,
  sources: ConfigSources,
  report: (fault: string) => void,
): Config {
  const options = { ...SERVICE_OPTIONS, topics: TOPICS_PLACE }
  const { values, faulty } = resolveOptions(service, options, '', environment(sources), report)
  const once = reportOnce(faulty, '', report)
  readSecretFiles(values, SERVICE_OPTIONS, once)
  checkService(values as unknown as Config, once)
  if (at(values, 'kafka.sasl.mechanism') === undefined) delete (values['kafka'] as Tree)['sasl']

  if (topics !== undefined && !isTree(topics)) {
    report('topics: must be an object: name → options of the topic')
  } else if (sources.needsTopic === true && Object.keys(topics ?? {}).length === 0) {
    report('topics: must have at least one entry')
  }
  const groupId = String(at(values, 'kafka.groupId'))
  const entries = resolveEntries(isTree(topics) ? topics : {}, groupId, report)
  checkTopics(entries.topics, reportOnce(new Set(), '', report))
  const registry = at(values, 'schemaRegistry') as Partial<SchemaRegistryConfig>
  checkRegistry(entries.topics, registry, once)
  if (registry.url === undefined) delete values['schemaRegistry']
  return Object.assign(emptyTree(), values, entries) as unknown as Config
}

// An assignment is stronger than the environment, for convict the environment is stronger than anything loaded.
function environment(sources: ConfigSources): Record<string, string> {
  const assigned = new Set(
    (sources.set ?? []).map((assignment) => assignment.slice(0, assignment.indexOf('=')).trim()),
  )
  const overruled = new Set<string | undefined>()
  for (const { key, option } of optionsOf(SERVICE_OPTIONS)) {
    const path = key.split('.')
    if (path.some((_, index) => assigned.has(path.slice(0, index + 1).join('.')))) {
      overruled.add('env' in option ? option.env : undefined)
    }
  }
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(sources.env ?? {})) {
    if (value !== undefined && value !== '' && !overruled.has(name)) env[name] = value
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
