import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import type { Manifests } from './manifests.ts'
import { projectFile } from './tools.ts'

/** What a pod of the service would find, laid out below a folder of the test. */
export interface Mounted {
  /** As the service loads it, from the files, variables and arguments of its container. */
  readonly config: Config
  /** Values of the variables, those of the image too. */
  readonly env: Readonly<Record<string, string>>
}

const POD = 'kafka-delta-0'

/**
 * Lays out config maps and secrets as the container mounts them, below `root`, and loads the configuration from there:
 * paths below mounts are those below `root`. Secrets hold a word.
 * @throws KD_CONFIG_INVALID with every fault, a file that no mount holds among them
 */
export async function mounted(manifests: Manifests, root: string): Promise<Mounted> {
  const { container, pod } = manifests
  const here = (text: string): string =>
    container.volumeMounts.reduce(
      (all, { mountPath }) => all.replaceAll(mountPath, join(root, mountPath)),
      text,
    )
  for (const { name, mountPath } of container.volumeMounts) {
    const folder = join(root, mountPath)
    await mkdir(folder, { recursive: true })
    const volume = pod.volumes.find((each) => each.name === name)
    if (volume === undefined) throw new Error(`${name} is mounted but is no volume`)
    for (const [file, text] of Object.entries(filesOf(manifests, volume)))
      await writeFile(join(folder, file), here(text))
  }
  const env = { ...(await imageVariables()), ...variablesOf(manifests) }
  const [command, ...args] = container.args
  if (command !== 'run') throw new Error(`Expected run, got ${String(command)}`)
  const { files, set } = flagsOf(args.map(here))
  return { config: loadConfig({ files, set, env, needsTopic: true }), env }
}

function filesOf(
  manifests: Manifests,
  { name, configMap, secret }: Manifests['pod']['volumes'][number],
): Readonly<Record<string, string>> {
  if (secret !== undefined) return Object.fromEntries(secret.items.map(({ path }) => [path, 'secret']))
  const data = manifests.named('ConfigMap', configMap?.name ?? '')?.data
  if (data === undefined) throw new Error(`The volume ${name} names a config map that is not there`)
  return data
}

function flagsOf(args: readonly string[]): { readonly files: string[]; readonly set: string[] } {
  const taken = { '--config': [] as string[], '--set': [] as string[] }
  let flag: keyof typeof taken | undefined
  for (const arg of args) {
    if (arg === '--config' || arg === '--set') flag = arg
    else if (flag === undefined) throw new Error(`Expected a flag, got ${arg}`)
    else taken[flag].push(arg)
  }
  return { files: taken['--config'], set: taken['--set'] }
}

/** As Kubernetes makes them: `$(NAME)` stands for a variable before it only. */
function variablesOf({ container }: Manifests): Readonly<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const { name, value = '', valueFrom } of container.env) {
    const field = valueFrom?.fieldRef.fieldPath
    if (field !== undefined && field !== 'metadata.name') throw new Error(`Unexpected field ${field}`)
    env[name] = field === undefined ? value.replace(/\$\((\w+)\)/g, (all, of: string) => env[of] ?? all) : POD
  }
  return env
}

/** What the image sets for every container. */
async function imageVariables(): Promise<Readonly<Record<string, string>>> {
  const dockerfile = await projectFile('Dockerfile')
  const shipped = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  const lines = shipped.matchAll(/^ENV (.+)$/gm)
  return Object.fromEntries(
    [...lines].flatMap(([, line = '']) =>
      [...line.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
    ),
  ) as Record<string, string>
}
