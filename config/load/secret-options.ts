import { isOption, type Option, type OptionTree } from '../option.ts'

/** The options, and beside each sensitive one `<name>File` (in the environment `…_FILE`): a file that holds its value. */
export function withSecretFiles(tree: OptionTree): OptionTree {
  const all: Record<string, Option | OptionTree> = {}
  for (const [name, node] of Object.entries(tree)) {
    all[name] = isOption(node) ? node : withSecretFiles(node)
    if (isOption(node) && node.sensitive === true) all[`${name}File`] = fileOption(name, node)
  }
  return all
}

function fileOption(name: string, { env }: Option): Option {
  return {
    doc: `File that holds \`${name}\`, instead of \`${name}\` itself; one line break at its end is dropped. Read once, at the start.`,
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    ...(env === undefined ? {} : { env: `${env}_FILE` }),
  }
}
