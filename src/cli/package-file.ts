import { PipelineError } from '../core/errors.ts'
import { packageFile } from '../core/uri/package-file.ts'

/**
 * Returns the path of a file that is part of this package.
 * @throws KD_COMMAND_INVALID if the package does not contain the file
 */
export function findPackageFile(name: string): string {
  const path = packageFile(name)
  if (path !== undefined) return path
  throw new PipelineError(
    'KD_COMMAND_INVALID',
    `the installed package does not contain ${name}; install it again`,
  )
}
