import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The page relative to the folder of the package, and to `dist`. */
const PATHS = ['dist/console/page.html', 'console/page.html']
/** Folders between a module and that of the package. */
const DEPTH_MAX = 6

/**
 * Returns the page of the console, which `npm run build` makes: HTML with its script and style in it, without data.
 * @throws Error when the package was not built
 */
export function consolePage(): string {
  let folder = import.meta.dirname
  for (let depth = 0; depth <= DEPTH_MAX; depth++, folder = dirname(folder))
    for (const path of PATHS) {
      const file = join(folder, path)
      if (existsSync(file)) return readFileSync(file, 'utf8')
    }
  throw new Error('The page of the console is not built: run npm run build')
}
