import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { COVERED } from './covered.ts'
import { FILES } from './files.ts'

const FILES_MAX = 15
const LINES_MAX = 400

test('No folder holds more files than one sees at a glance', () => {
  const counts = new Map<string, number>()
  for (const { path } of FILES) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  assert.deepEqual(
    [...counts].filter(([, count]) => count > FILES_MAX),
    [],
  )
})

test('No file has more than 400 lines', () => {
  assert.deepEqual(
    FILES.filter(({ text }) => text.split('\n').length > LINES_MAX + 1).map(({ path }) => path),
    [],
  )
})

test('Every operator has a test of its own', () => {
  const operators = FILES.filter(({ path }) => path.startsWith('operators/'))
  assert.ok(operators.length >= 10)
  assert.deepEqual(
    operators
      .filter(({ path }) => !existsSync(`test/${path.replace(/\.ts$/, '.test.ts')}`))
      .map(({ path }) => path),
    [],
  )
})

test('Every file of src has a test of its own or is named with the test that covers it', () => {
  const named = new Set(Object.values(COVERED).flat())
  const sources = FILES.map(({ path }) => path).filter((path) => path.startsWith('src/'))
  assert.deepEqual(
    sources.filter((path) => !existsSync(testOf(path)) && !named.has(path)),
    [],
    'neither a test nor a line in covered.ts',
  )
  assert.deepEqual(
    [...named].filter((path) => !existsSync(path) || existsSync(testOf(path))),
    [],
    'lines of covered.ts that are not needed',
  )
})

/** What a file reaches without importing it: the text that starts it, and what is started. */
const STARTED: readonly (readonly [string, string])[] = [
  ["src/cli/main.ts'", 'src/cli/main.ts'],
  ["'src/console/page'", 'src/console/page/main.ts'],
]

test('A test that is said to cover a file reaches it', () => {
  const imports = new Map(
    FILES.map(({ path, text, imports: own }) => [
      path,
      [...own, ...STARTED.filter(([by, part]) => text.includes(by) && path !== part).map(([, part]) => part)],
    ]),
  )
  for (const [path, sources] of Object.entries(COVERED)) {
    const reached = new Set<string>()
    const open = [path]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue
      reached.add(next)
      open.push(...(imports.get(next) ?? []))
    }
    for (const source of sources) assert.ok(reached.has(source), `${path} does not reach ${source}`)
  }
})

function testOf(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
}
