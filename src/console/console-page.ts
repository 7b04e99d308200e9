import { readFileSync } from 'node:fs'
import { packageFile } from '../core/uri/package-file.ts'

/**
 * Returns the page of the console, HTML with its script and style in it, without data; `undefined` where `npm run build` has
 * not made it yet.
 */
export function consolePage(): string | undefined {
  const path = packageFile('dist/console/page.html')
  return path === undefined ? undefined : readFileSync(path, 'utf8')
}
