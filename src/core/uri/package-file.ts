import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Returns the path of a file that is part of this package, both from the sources and from the compiled files;
 * `undefined` if the package does not contain it.
 */
export function packageFile(name: string): string | undefined {
  return ['../../', '../../../', '../../../../']
    .map((root) => fileURLToPath(new URL(root + name, import.meta.url)))
    .find((path) => existsSync(path))
}
