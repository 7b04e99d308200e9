import { closest } from 'fastest-levenshtein'
import { OPTION_FORMATS } from './formats.ts'
import { isMapFormat, isOption, optionsOf, type OptionFormat, type OptionTree } from '../option.ts'
import { readTextMap, readRuleList, readTransformMap } from './map-options.ts'
import { createJsonTree, isJsonTree, type JsonTree } from '../tree.ts'

/**
 * Returns the part of `tree` that the schema knows, with map options as lists of entries. Reports unknown
 * keys with the nearest known one, and objects where a value is expected and the other way round.
 */
export function rejectUnknownKeys(
  tree: JsonTree,
  options: OptionTree,
  prefix: string,
  report: (fault: string) => void,
): JsonTree {
  return readSection(tree, options, prefix, { options, prefix }, report)
}

interface SchemaRoot {
  readonly options: OptionTree
  readonly prefix: string
}

function readSection(
  tree: JsonTree,
  section: OptionTree,
  prefix: string,
  root: SchemaRoot,
  report: (fault: string) => void,
): JsonTree {
  const known = createJsonTree()
  for (const [key, value] of Object.entries(tree)) {
    const node = Object.hasOwn(section, key) ? section[key] : undefined
    if (node === undefined) {
      report(`${prefix}${key}: unknown key; the nearest known one is ${nearest(key, section, prefix, root)}`)
    } else if (!isOption(node)) {
      if (isJsonTree(value)) known[key] = readSection(value, node, `${prefix}${key}.`, root, report)
      else report(`${prefix}${key}: must be an object with ${Object.keys(node).join(', ')}`)
    } else if (isMapFormat(node.format)) {
      const { expected } = OPTION_FORMATS[node.format as OptionFormat]
      const readEntries = node.format === 'map' ? readTextMap : readTransformMap
      if (isJsonTree(value)) known[key] = readEntries(value, `${prefix}${key}.`, report)
      else report(`${prefix}${key}: must be ${expected}: value was ${JSON.stringify(value)}`)
    } else if (node.format === 'rule-list') {
      known[key] = readRuleList(value, `${prefix}${key}`, report)
    } else if (isJsonTree(value)) {
      report(`${prefix}${key}: must be a value, not an object`)
    } else {
      known[key] = value
    }
  }
  return known
}

// The same name in another section is a better hint than any other name in this section.
function nearest(key: string, section: OptionTree, prefix: string, root: SchemaRoot): string {
  const elsewhere = optionsOf(root.options).find((option) => option.key.split('.').at(-1) === key)
  if (elsewhere !== undefined) return root.prefix + elsewhere.key
  return prefix + closest(key, Object.keys(section))
}
