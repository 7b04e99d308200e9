import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isResolvablePath } from '../src/core/uri/store-uri.ts'
import { isMapFormat, isOption, type Option, type OptionTree } from './option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from './schema.ts'

/**
 * A JSON object as it was written, that is not validated yet. It has no prototype, so that keys such as
 * `__proto__` are ordinary.
 */
export interface JsonTree {
  [key: string]: unknown
}

/** Returns whether a value is a JSON object. */
export function isJsonTree(value: unknown): value is JsonTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns `under` with `over` merged into it: objects merge key by key, other values are replaced. */
export function mergeTrees(under: JsonTree, over: JsonTree): JsonTree {
  const merged = Object.assign(createJsonTree(), under)
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isJsonTree(value)
      ? mergeTrees(isJsonTree(before) ? before : createJsonTree(), value)
      : value
  }
  return merged
}

/**
 * Reads and parses one JSON file synchronously. A byte order mark at its start, as editors on Windows write it, is
 * ignored. Errors of the file system and of the JSON parser are passed on.
 */
export function readJsonFile(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''))
}

/** Returns the configuration with relative paths resolved against `folder`. */
export function resolvePaths(given: JsonTree, folder: string): JsonTree {
  const tree = resolvePathsOf(given, SERVICE_OPTIONS, folder)
  const topics = tree['topics']
  if (!isJsonTree(topics)) return tree
  const resolved = createJsonTree()
  for (const [name, topic] of Object.entries(topics)) {
    resolved[name] = isJsonTree(topic) ? resolvePathsOf(topic, TOPIC_OPTIONS, folder) : topic
  }
  return mergeTrees(tree, { topics: resolved })
}

/**
 * Parses one assignment `--set key=value` into a tree. The value is JSON if it parses, otherwise text.
 * Returns `undefined` without a `=`. `topicNames` are the known entries of `topics`, whose names may contain
 * dots.
 */
export function parseAssignment(assignment: string, topicNames: readonly string[]): JsonTree | undefined {
  const split = assignment.indexOf('=')
  if (split <= 0) return undefined
  const path = pathOf(assignment.slice(0, split).trim(), topicNames)
  let value: unknown = valueOf(assignment.slice(split + 1))
  for (const key of path.reverse()) value = Object.assign(createJsonTree(), { [key]: value })
  return isJsonTree(value) ? value : undefined
}

/** Creates a JSON object without a prototype. */
export function createJsonTree(): JsonTree {
  return createRecord<unknown>()
}

/** Creates an object without a prototype for values of one type by name. */
export function createRecord<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>
}

function resolvePathsOf(tree: JsonTree, options: OptionTree, folder: string): JsonTree {
  const resolved = createJsonTree()
  for (const [key, value] of Object.entries(tree)) {
    const node = Object.hasOwn(options, key) ? options[key] : undefined
    if (node === undefined) resolved[key] = value
    else if (isOption(node)) resolved[key] = resolvePathOption(node, value, folder)
    else resolved[key] = isJsonTree(value) ? resolvePathsOf(value, node, folder) : value
  }
  return resolved
}

function resolvePathOption(option: Option, value: unknown, folder: string): unknown {
  if (isPath(option, value)) return resolve(folder, value)
  if (option.format !== 'map' || option.path !== true || !isJsonTree(value)) return value
  const paths = createJsonTree()
  for (const [name, path] of Object.entries(value))
    paths[name] = isPath(option, path) ? resolve(folder, path) : path
  return paths
}

// A value with a scheme, such as s3://bucket or memory:name, is not a path of the file system.
function isPath(option: Option, value: unknown): value is string {
  return option.path === true && typeof value === 'string' && isResolvablePath(value)
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const TOPICS: OptionTree = TOPIC_OPTIONS

// Names of entries may contain dots: a known name is preferred, otherwise the shortest name that is followed
// by an option of a topic.
function pathOf(key: string, topicNames: readonly string[]): string[] {
  const parts = key.split('.')
  if (parts[0] !== 'topics' || parts.length < 2) return parts
  const splits = parts.slice(1).map((_, index) => ({
    name: parts.slice(1, index + 2).join('.'),
    rest: parts.slice(index + 2),
  }))
  const chosen =
    splits.findLast(({ name }) => topicNames.includes(name)) ??
    splits.find(({ rest }) => rest[0] !== undefined && Object.hasOwn(TOPIC_OPTIONS, rest[0])) ??
    splits[0]
  if (chosen === undefined) return parts
  // A map option is followed by a single key, which may contain dots itself.
  const [option, ...below] = chosen.rest
  const node = option !== undefined && Object.hasOwn(TOPIC_OPTIONS, option) ? TOPICS[option] : undefined
  const isMap = node !== undefined && isOption(node) && isMapFormat(node.format) && below.length > 0
  return ['topics', chosen.name, ...(isMap && option !== undefined ? [option, below.join('.')] : chosen.rest)]
}
