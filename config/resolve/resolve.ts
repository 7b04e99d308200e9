import convict from 'convict'
import { registerFormats } from './formats.ts'
import { isMapFormat, optionsOf, type OptionTree, type ComputedDefaultInput } from '../option.ts'
import type { OptionValues, ResolvedValues } from '../option-values.ts'
import { rejectUnknownKeys } from './unknown-keys.ts'
import { createJsonTree, isJsonTree, type JsonTree } from '../tree.ts'

/** Holds options with all defaults filled in, and the keys whose values were invalid. */
interface ResolvedOptions<Tree extends OptionTree> {
  /** Option values; unset options are absent, map options are objects. */
  readonly values: ResolvedValues<Tree>
  /** Dotted keys, relative to `options`. */
  readonly invalidKeys: ReadonlySet<string>
}

/**
 * Validates `given` against `options` with convict and fills in defaults; the environment overrides given
 * values. Every fault is reported with its full key. An invalid value is replaced by its default, so that
 * later checks do not report it again.
 */
export function resolveOptions<Tree extends OptionTree>(
  given: JsonTree,
  options: Tree,
  prefix: string,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): ResolvedOptions<Tree> {
  registerFormats()
  const invalidKeys = new Set<string>()
  // convict's types require a schema that is known at compile time.
  const config = convict(schemaOf(options) as convict.Schema<JsonTree>, {
    env: { ...env },
    args: [],
  }) as unknown as Loaded
  config.load(rejectUnknownKeys(given, options, prefix, report))
  for (const fault of faultsOf(config)) {
    const key = fault.slice(0, fault.indexOf(': '))
    invalidKeys.add(key)
    config.reset(key)
    const variable = optionsOf(options).find((each) => each.key === key)?.option.env
    const from = variable !== undefined && env[variable] !== undefined ? ` (from ${variable})` : ''
    report(prefix + fault + from)
  }
  const values = removeUnset(config.getProperties(), options)
  for (const { key, option } of optionsOf(options)) {
    if (option.required === true && valueAtKey(values, key) === undefined && !invalidKeys.has(key)) {
      invalidKeys.add(key)
      report(`${prefix}${key}: is required and has no default`)
    }
  }
  // The formats have checked each value against the option that its type is derived from.
  return { values: values as ResolvedValues<Tree>, invalidKeys }
}

/** Fills in the defaults that are derived from other options, in place, and returns the values. */
export function fillComputedDefaults<Tree extends OptionTree>(
  values: ResolvedValues<Tree>,
  options: Tree,
  input: ComputedDefaultInput,
): OptionValues<Tree, 'computed'> {
  const tree: unknown = values
  for (const { key, option } of optionsOf(options)) {
    if (option.computed !== undefined && isJsonTree(tree) && valueAtKey(tree, key) === undefined)
      setByKey(tree, key, option.computed.compute(input))
  }
  return tree as OptionValues<Tree, 'computed'>
}

/** Removes the sections whose enabling option is unset, in place, and returns the values. */
export function removeDisabledSections<Tree extends OptionTree>(
  values: ResolvedValues<Tree>,
  options: Tree,
): OptionValues<Tree, 'enabled'> {
  const tree: unknown = values
  for (const { key, option } of optionsOf(options)) {
    if (option.enablesSection !== true || valueAtKey(tree, key) !== undefined) continue
    const [section = '', ...above] = key.split('.').slice(0, -1).reverse()
    const parent = above.length === 0 ? tree : valueAtKey(tree, above.reverse().join('.'))
    if (isJsonTree(parent)) Reflect.deleteProperty(parent, section)
  }
  return tree as OptionValues<Tree, 'enabled'>
}

/** Returns the value at a dotted key, or `undefined`. */
export function valueAtKey(tree: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => (isJsonTree(value) ? value[part] : undefined), tree)
}

// The part of convict's API that is used here, for schemas that are not known at compile time.
interface Loaded {
  load(tree: JsonTree): void
  validate(options: { readonly allowed: 'strict' }): void
  reset(key: string): void
  getProperties(): unknown
}

// A default of null means unset, required or computed, so convict must accept null; it never appears in the
// result.
function schemaOf(options: OptionTree): Record<string, unknown> {
  const schema: Record<string, unknown> = {}
  for (const [name, node] of Object.entries(options)) {
    schema[name] = 'default' in node ? { ...node, nullable: node['default'] === null } : schemaOf(node)
  }
  return schema
}

// convict reports its faults as lines of one message, each "key: must be …: value was …".
function faultsOf(config: Loaded): readonly string[] {
  try {
    config.validate({ allowed: 'strict' })
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

function removeUnset(properties: unknown, options: OptionTree): JsonTree {
  const values = createJsonTree()
  for (const { key, option } of optionsOf(options)) {
    const value = isJsonTree(properties) ? valueAtKey(properties, key) : undefined
    sectionOf(values, key)
    if (value === null || value === undefined) continue
    setByKey(
      values,
      key,
      isMapFormat(option.format) ? Object.fromEntries(value as [string, unknown][]) : value,
    )
  }
  return values
}

function setByKey(tree: JsonTree, key: string, value: unknown): void {
  const last = key.split('.').at(-1)
  if (last !== undefined) sectionOf(tree, key)[last] = value
}

/**
 * Returns the section that contains a key. Creates it if necessary, so that a section in which everything is
 * unset exists too.
 */
function sectionOf(tree: JsonTree, key: string): JsonTree {
  let parent = tree
  for (const part of key.split('.').slice(0, -1)) {
    const child = parent[part]
    parent = isJsonTree(child) ? child : (parent[part] = createJsonTree())
  }
  return parent
}
