import { isOption, type Option, type OptionTree } from '../option.ts'

/**
 * Returns the options with `<name>File` (environment: `…_FILE`) added beside each sensitive one: a file that
 * contains its value.
 */
export function addSecretFileOptions(tree: OptionTree): OptionTree {
  const all: Record<string, Option | OptionTree> = {}
  for (const [name, node] of Object.entries(tree)) {
    all[name] = isOption(node) ? node : addSecretFileOptions(node)
    if (isOption(node) && node.sensitive === true) all[`${name}File`] = fileOption(name, node)
  }
  return all
}

function fileOption(name: string, { env }: Option): Option {
  return {
    doc: `File that contains \`${name}\`, as an alternative to \`${name}\` itself. One line break at the end is ignored. Read once, at the start.`,
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    ...(env === undefined ? {} : { env: `${env}_FILE` }),
  }
}
