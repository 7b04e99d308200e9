import { at } from '../load/resolve.ts'
import { optionsOf, type OptionTree } from '../option.ts'
import { emptyTree, isTree, merge, type Tree } from '../tree.ts'

/** What stands for a part of a topic's own in an option that several topics share. */
export interface TemplateFacts {
  readonly topic: string
  /** The entry's name in `topics`. */
  readonly name: string
}

/** The given options with `{topic}` and `{name}` filled in where an option allows it. */
export function filled(given: Tree, options: OptionTree, facts: TemplateFacts): Tree {
  let tree = given
  for (const { key, option } of optionsOf(options)) {
    const value = at(given, key)
    if (option.template === true && typeof value === 'string' && value.includes('{'))
      tree = merge(tree, treeOf(key.split('.'), fillIn(value, facts)))
  }
  return tree
}

/** A text with `{topic}` and `{name}` filled in. */
export function fillIn(template: string, { topic, name }: TemplateFacts): string {
  // One pass, so that what is filled in is not filled itself; by function, since names may hold `$`.
  return template.replace(/\{(topic|name)\}/g, (_, what) => (what === 'topic' ? topic : name))
}

function treeOf([key = '', ...below]: readonly string[], value: string): Tree {
  return Object.assign(emptyTree(), { [key]: below.length === 0 ? value : treeOf(below, value) })
}

/** Whether the tree has a text at this key that lacks `{topic}`. */
export function lacksTopic(given: Tree, key: string): boolean {
  const value = isTree(given) ? at(given, key) : undefined
  return typeof value === 'string' && !value.includes('{topic}')
}
