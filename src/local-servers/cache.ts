import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PipelineError } from '../core/errors.ts'

/** Returns the cache folder of downloaded and built servers: `KAFKA_DELTA_CACHE`, or `kafka-delta` in the user's cache folder. */
function cacheFolder(): string {
  const given = process.env['KAFKA_DELTA_CACHE']
  if (given !== undefined && given !== '') return given
  const caches = process.env['XDG_CACHE_HOME']
  return join(caches === undefined || caches === '' ? join(homedir(), '.cache') : caches, 'kafka-delta')
}

/** Returns the path of a file below `servers/` of this package, whether it runs from its sources or from `dist`. */
export function serverFilePath(...parts: readonly string[]): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'servers', 'kafka', 'pom.xml'))) {
    const above = dirname(folder)
    if (above === folder)
      throw new PipelineError('KD_SERVER_FAILED', 'the folder `servers` of this package is missing')
    folder = above
  }
  return join(folder, 'servers', ...parts)
}

/**
 * Returns the folder `<cache>/<name>-<hash of the files>`, which `fill` fills once. `name` identifies everything else that
 * the content depends on. Several processes may do this at the same time: each fills a temporary folder, the first rename
 * wins, and the other folders are deleted.
 */
export async function ensureCached(
  name: string,
  files: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  const folder = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (await exists(folder)) return folder
  const temporary = `${folder}.${randomUUID()}.tmp`
  await mkdir(temporary, { recursive: true })
  try {
    await fill(temporary)
    await rename(temporary, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return folder
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
