import { valueAtKey } from '../resolve/resolve.ts'
import { optionsOf, type OptionTree } from '../option.ts'
import { createJsonTree, isJsonTree, mergeTrees, type JsonTree } from '../tree.ts'

/** Stands for the Kafka topic in options, also in place of the topic while no topic is known. */
export const TOPIC_PLACEHOLDER = '{topic}'

/** Returns the value of an option with a plain name in place of the topic that is not known yet. */
export function fillPlaceholder(value: string): string {
  return value.replaceAll(TOPIC_PLACEHOLDER, 'topic')
}

/** Holds the values of the placeholders `{topic}` and `{name}`. */
interface TemplateValues {
  readonly topic: string
  /** Key of the entry in `topics`. */
  readonly name: string
}

/** Returns the options with `{topic}` and `{name}` replaced wherever an option allows placeholders. */
export function fillTemplates(given: JsonTree, options: OptionTree, facts: TemplateValues): JsonTree {
  let tree = given
  for (const { key, option } of optionsOf(options)) {
    const value = valueAtKey(given, key)
    if (option.template === true && typeof value === 'string' && value.includes('{'))
      tree = mergeTrees(tree, nestedTreeOf(key.split('.'), fillTemplate(value, facts)))
  }
  return tree
}

/** Returns the text with `{topic}` and `{name}` replaced. */
function fillTemplate(template: string, { topic, name }: TemplateValues): string {
  // A single pass, so that placeholders in a replacement are not replaced again. A function as replacement,
  // because names may contain `$`.
  return template.replace(/\{(topic|name)\}/g, (_, placeholder) => (placeholder === 'topic' ? topic : name))
}

function nestedTreeOf([key = '', ...below]: readonly string[], value: string): JsonTree {
  return Object.assign(createJsonTree(), { [key]: below.length === 0 ? value : nestedTreeOf(below, value) })
}

/** Returns whether the option at this key is text without the placeholder `{topic}`. */
export function lacksTopicPlaceholder(given: JsonTree, key: string): boolean {
  const value = isJsonTree(given) ? valueAtKey(given, key) : undefined
  return typeof value === 'string' && !value.includes(TOPIC_PLACEHOLDER)
}
