import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PipelineError } from '../core/errors.ts'

/**
 * Returns the path of a file that is part of this package, both from the sources and from the compiled files
 * one folder deeper.
 *
 * @throws KD_COMMAND_INVALID if the package does not contain the file
 */
export function findPackageFile(name: string): string {
  for (const root of ['../../', '../../../']) {
    const path = fileURLToPath(new URL(root + name, import.meta.url))
    if (existsSync(path)) return path
  }
  throw new PipelineError(
    'KD_COMMAND_INVALID',
    `the installed package does not contain ${name}; install it again`,
  )
}
