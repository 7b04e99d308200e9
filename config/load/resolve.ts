import convict from 'convict'
import { registerFormats } from './formats.ts'
import { isMapFormat, optionsOf, type OptionTree, type TopicFacts } from '../option.ts'
import { sift } from './sift.ts'
import { emptyTree, isTree, type Tree } from '../tree.ts'

/** A tree of options with every default filled in, and the keys whose given values were at fault. */
export interface Resolved {
  /** Unset options are absent, maps are objects again. */
  readonly values: Tree
  /** Dotted keys within `options`. */
  readonly faulty: ReadonlySet<string>
}

/**
 * Fills and checks `given` by `options` with convict: given values under the environment's, defaults below both.
 * Every fault is reported with its full key; a value at fault is replaced by its default, so that the checks that
 * follow report no fault twice.
 */
export function resolveOptions(
  given: Tree,
  options: OptionTree,
  prefix: string,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): Resolved {
  registerFormats()
  const faulty = new Set<string>()
  // convict's types want a schema that is known literally.
  const config = convict(schemaOf(options) as convict.Schema<Tree>, {
    env: { ...env },
    args: [],
  }) as unknown as Loaded
  config.load(sift(given, options, prefix, report))
  for (const fault of faultsOf(config)) {
    const key = fault.slice(0, fault.indexOf(': '))
    faulty.add(key)
    config.reset(key)
    const variable = optionsOf(options).find((each) => each.key === key)?.option.env
    const from = variable !== undefined && env[variable] !== undefined ? ` (from ${variable})` : ''
    report(prefix + fault + from)
  }
  const values = pruned(config.getProperties(), options)
  for (const { key, option } of optionsOf(options)) {
    if (option.required === true && at(values, key) === undefined && !faulty.has(key)) {
      faulty.add(key)
      report(`${prefix}${key}: missing, and it has no default`)
    }
  }
  return { values, faulty }
}

/** Fills the defaults that follow from other options, in place. */
export function fillComputed(values: Tree, options: OptionTree, facts: TopicFacts): void {
  for (const { key, option } of optionsOf(options)) {
    if (option.computed !== undefined && at(values, key) === undefined)
      put(values, key, option.computed.of(facts))
  }
}

/** The value at a dotted key. */
export function at(tree: Tree, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (isTree(value) ? value[part] : undefined), tree)
}

// The part of a convict configuration that is used here, for keys that no type knows.
interface Loaded {
  load(tree: Tree): void
  validate(options: { readonly allowed: 'strict' }): void
  reset(key: string): void
  getProperties(): unknown
}

// A default of null means unset, required or computed, so null passes; it is never a value in the result.
function schemaOf(options: OptionTree): Record<string, unknown> {
  const schema: Record<string, unknown> = {}
  for (const [name, node] of Object.entries(options)) {
    schema[name] = 'default' in node ? { ...node, nullable: node['default'] === null } : schemaOf(node)
  }
  return schema
}

// convict tells its faults as lines of one message, each "key: what must be: value was …".
function faultsOf(config: Loaded): readonly string[] {
  try {
    config.validate({ allowed: 'strict' })
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

function pruned(properties: unknown, options: OptionTree): Tree {
  const values = emptyTree()
  for (const { key, option } of optionsOf(options)) {
    const value = isTree(properties) ? at(properties, key) : undefined
    sectionOf(values, key)
    if (value === null || value === undefined) continue
    put(values, key, isMapFormat(option.format) ? Object.fromEntries(value as [string, unknown][]) : value)
  }
  return values
}

function put(tree: Tree, key: string, value: unknown): void {
  const last = key.split('.').at(-1)
  if (last !== undefined) sectionOf(tree, key)[last] = value
}

/** The section that holds a key; made where it is absent, so that one in which all is unset is there too. */
function sectionOf(tree: Tree, key: string): Tree {
  let parent = tree
  for (const part of key.split('.').slice(0, -1)) {
    const child = parent[part]
    parent = isTree(child) ? child : (parent[part] = emptyTree())
  }
  return parent
}
