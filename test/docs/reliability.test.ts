// Every promise says how it is kept, which tests show it and what is not promised; the tests that it names are there.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const sections = read('docs/reliability.md')
  .split(/^## /m)
  .slice(1)
  .filter((section) => /^P\d+:/.test(section))

test('There are the promises P1 to P15, in this order', () => {
  assert.deepEqual(
    sections.map((section) => /^P(\d+):/.exec(section)?.[1]),
    Array.from({ length: 15 }, (_, index) => String(index + 1)),
  )
})

for (const section of sections) {
  const [title = ''] = section.split('\n')

  test(`${title}: says how, what shows it and what is not promised`, () => {
    for (const label of ['How', 'Shown by', 'Not promised'])
      assert.match(section, new RegExp(`^\\*\\*${label}\\.\\*\\*`, 'm'))
  })

  test(`${title}: the tests that show it are there under these names`, () => {
    const shown = [...section.matchAll(/^- `(test\/[^`]+)`: "([^"]+)"$/gm)]
    assert.ok(shown.length >= 2, 'it names two tests at least')
    const missing = shown
      .map(([, path = '', name = '']) => ({ path, name }))
      .filter(({ path, name }) => !exists(path) || !read(path).includes(name))
    assert.deepEqual(missing, [])
  })
}

function exists(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false }) !== undefined
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
