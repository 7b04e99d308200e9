import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isMapFormat, isOption, type Option, type OptionTree } from './option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from './schema.ts'

/** JSON as it was written: an object whose keys nobody has looked at yet. It has no prototype, so that no key is special. */
export interface Tree {
  [key: string]: unknown
}

/** Whether a value is an object of JSON. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `over` laid on `under`: objects merge key by key, everything else is replaced. */
export function merge(under: Tree, over: Tree): Tree {
  const merged = Object.assign(emptyTree(), under)
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key]
    merged[key] = isTree(value) ? merge(isTree(before) ? before : emptyTree(), value) : value
  }
  return merged
}

/** Reads one JSON file. Throws what the file system or the JSON parser throws. */
export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** The same tree with its paths made absolute: relative ones count from `folder`. */
export function withAbsolutePaths(given: Tree, folder: string): Tree {
  const tree = absolute(given, SERVICE_OPTIONS, folder)
  const topics = tree['topics']
  if (!isTree(topics)) return tree
  const resolved = emptyTree()
  for (const [name, topic] of Object.entries(topics)) {
    resolved[name] = isTree(topic) ? absolute(topic, TOPIC_OPTIONS, folder) : topic
  }
  return merge(tree, { topics: resolved })
}

/** A tree from one `--set key=value`; the value is JSON where it parses and text otherwise. `undefined` without a `=`. */
export function treeOfAssignment(assignment: string, topicNames: readonly string[]): Tree | undefined {
  const split = assignment.indexOf('=')
  if (split <= 0) return undefined
  const path = pathOf(assignment.slice(0, split).trim(), topicNames)
  let value: unknown = valueOf(assignment.slice(split + 1))
  for (const key of path.reverse()) value = Object.assign(emptyTree(), { [key]: value })
  return isTree(value) ? value : undefined
}

/** An object without a prototype. */
export function emptyTree(): Tree {
  return Object.create(null) as Tree
}

function absolute(tree: Tree, options: OptionTree, folder: string): Tree {
  const resolved = emptyTree()
  for (const [key, value] of Object.entries(tree)) {
    const node = Object.hasOwn(options, key) ? options[key] : undefined
    if (node === undefined) resolved[key] = value
    else if (isOption(node)) resolved[key] = withAbsolute(node, value, folder)
    else resolved[key] = isTree(value) ? absolute(value, node, folder) : value
  }
  return resolved
}

function withAbsolute(option: Option, value: unknown, folder: string): unknown {
  if (isPath(option, value)) return resolve(folder, value)
  if (option.format !== 'map' || option.path !== true || !isTree(value)) return value
  const paths = emptyTree()
  for (const [name, path] of Object.entries(value))
    paths[name] = isPath(option, path) ? resolve(folder, path) : path
  return paths
}

// A value with a scheme, such as s3://bucket or memory:name, is no path of the file system.
function isPath(option: Option, value: unknown): value is string {
  return (
    option.path === true &&
    typeof value === 'string' &&
    value.trim() !== '' &&
    !/^[a-z][a-z0-9+.-]+:/i.test(value)
  )
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const TOPICS: OptionTree = TOPIC_OPTIONS

// Names of topics may hold dots: a known name wins, then the shortest name after which an option of a topic follows.
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
  // Below a map stands one key, which may hold dots itself.
  const [option, ...below] = chosen.rest
  const node = option !== undefined && Object.hasOwn(TOPIC_OPTIONS, option) ? TOPICS[option] : undefined
  const isMap = node !== undefined && isOption(node) && isMapFormat(node.format) && below.length > 0
  return ['topics', chosen.name, ...(isMap && option !== undefined ? [option, below.join('.')] : chosen.rest)]
}
