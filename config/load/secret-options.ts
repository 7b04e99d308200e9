import { isOption, type Option, type OptionTree } from '../option.ts'

/**
 * Returns the options with one more, `<name>File` (environment: `…_FILE`) added beside each sensitive one: a file that
 * contains its value. The type leaves these out, since `readSecretFiles` removes their values.
 */
export function addSecretFileOptions<Tree extends OptionTree>(tree: Tree): Tree {
  const all: Record<string, Option | OptionTree> = {}
  for (const [name, node] of Object.entries(tree)) {
    all[name] = isOption(node) ? node : addSecretFileOptions(node)
    if (isOption(node) && node.sensitive === true) all[`${name}File`] = fileOption(name, node)
  }
  return all as Tree
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
