import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PipelineError } from '../core/errors.ts'

/**
 * The path of a file that ships with this package, wherever it runs from (sources, or the compiled files one folder
 * deeper).
 * @throws KD_COMMAND_INVALID where the package lacks it.
 */
export function packageFile(name: string): string {
  for (const root of ['../../', '../../../']) {
    const path = fileURLToPath(new URL(root + name, import.meta.url))
    if (existsSync(path)) return path
  }
  throw new PipelineError('KD_COMMAND_INVALID', `the package lacks its file ${name}`)
}
