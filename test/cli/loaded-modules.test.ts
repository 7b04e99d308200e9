// Goal: the version, the help of a command and the probe of a container load no more than they need.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const MAIN = join(import.meta.dirname, '../../src/cli/main')
const IMPORTS = /(?:^|\n)(?:import|export)(?! type\b)[^'"=()]*['"]([^'"]+)['"]/g

/** Returns the packages that a file imports statically, itself or through the project's files. */
function packagesOf(path: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(IMPORTS)) {
    const file = join(dirname(path), name)
    if (!name.startsWith('.')) seen.add(name)
    else if (!seen.has(file)) packagesOf(file, seen.add(file))
  }
  return new Set([...seen].filter((each) => !each.startsWith('/')))
}

test('the entry of the command loads commander alone until it knows which command is meant', () => {
  const main = [`${MAIN}.ts`, `${MAIN}.js`].find((path) => existsSync(path)) ?? MAIN
  const packages = [...packagesOf(main)].filter((name) => !name.startsWith('node:'))
  assert.deepEqual(packages, ['commander'])
})
