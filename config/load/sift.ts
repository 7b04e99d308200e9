import { closest } from 'fastest-levenshtein'
import { FORMATS } from './formats.ts'
import { isMapFormat, isOption, optionsOf, type FormatName, type OptionTree } from '../option.ts'
import { siftMap, siftRules, siftTransforms } from './sift-entries.ts'
import { emptyTree, isTree, type Tree } from '../tree.ts'

/**
 * The part of `tree` that the schema knows, maps as lists of entries. What it does not know is reported with the
 * nearest name; what is an object where a value belongs, or the other way round, is reported too.
 */
export function sift(tree: Tree, options: OptionTree, prefix: string, report: (fault: string) => void): Tree {
  return siftSection(tree, options, prefix, { options, prefix }, report)
}

interface Root {
  readonly options: OptionTree
  readonly prefix: string
}

function siftSection(
  tree: Tree,
  section: OptionTree,
  prefix: string,
  root: Root,
  report: (fault: string) => void,
): Tree {
  const known = emptyTree()
  for (const [key, value] of Object.entries(tree)) {
    const node = Object.hasOwn(section, key) ? section[key] : undefined
    if (node === undefined) {
      report(`${prefix}${key}: unknown key; the nearest known one is ${nearest(key, section, prefix, root)}`)
    } else if (!isOption(node)) {
      if (isTree(value)) known[key] = siftSection(value, node, `${prefix}${key}.`, root, report)
      else report(`${prefix}${key}: must be an object with ${Object.keys(node).join(', ')}`)
    } else if (isMapFormat(node.format)) {
      const { expected } = FORMATS[node.format as FormatName]
      const siftEntries = node.format === 'map' ? siftMap : siftTransforms
      if (isTree(value)) known[key] = siftEntries(value, `${prefix}${key}.`, report)
      else report(`${prefix}${key}: must be ${expected}: value was ${JSON.stringify(value)}`)
    } else if (node.format === 'rule-list') {
      known[key] = siftRules(value, `${prefix}${key}`, report)
    } else if (isTree(value)) {
      report(`${prefix}${key}: must be a value, not an object`)
    } else {
      known[key] = value
    }
  }
  return known
}

// The same name in another section is nearer than any other name in this one.
function nearest(key: string, section: OptionTree, prefix: string, root: Root): string {
  const elsewhere = optionsOf(root.options).find((option) => option.key.split('.').at(-1) === key)
  if (elsewhere !== undefined) return root.prefix + elsewhere.key
  return prefix + closest(key, Object.keys(section))
}
