// Documents name files, scripts, commands and options; what they name must be there. `links.test.ts` follows their links.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...documents()]
const described = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** Named before they are there: what runs leave behind. */
const MADE = /^(?:demo|dist|node_modules|docs\/api)\b/
const TOP = readdirSync(root)

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8')

  test(`${page}: every path in code exists`, () => {
    const missing = pathsIn(text).filter((path) => !exists(path))
    assert.deepEqual(missing, [])
  })

  test(`${page}: every npm script exists`, () => {
    const names = [...text.matchAll(/npm run ([\w:]+(?:-[\w:]+)*)/g)].map(([, name = '']) => name)
    assert.deepEqual(
      names.filter((name) => !(name in described.scripts)),
      [],
    )
  })
}

for (const page of ['README.md', 'docs/library.md']) {
  test(`what ${page} shows in TypeScript is taken from the examples`, () => {
    const examples = readdirSync(join(root, 'examples')).map((name) => flat(readPage(`examples/${name}`)))
    const snippets = [...readPage(page).matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => flat(code))
    assert.ok(snippets.length > 0, 'there are snippets')
    for (const snippet of snippets.filter((code) => !code.includes("from 'kafka-delta'")))
      assert.ok(
        examples.some((example) => example.includes(snippet)),
        snippet,
      )
  })

  test(`what ${page} imports is exported`, async () => {
    const exported = Object.keys(await import('../../src/index.ts'))
    const names = [...readPage(page).matchAll(/import \{([^}]*)\} from 'kafka-delta'/g)].flatMap(
      ([, list = '']) => list.split(',').map((name) => name.trim()),
    )
    assert.deepEqual(
      names.filter((name) => !exported.includes(name)),
      [],
    )
  })
}

test('the README has the exit codes of the command line', async () => {
  const { EXIT_HELP } = await import('../../src/service/process/exit-codes.ts')
  const told = [...EXIT_HELP.matchAll(/^ +(\d) +(.+)$/gm)].map(
    ([, code = '', text = '']) => `${code}|${text}`,
  )
  const rows = [...readPage('README.md').matchAll(/^\| +(\d) \| (.+?) +\|$/gm)]
  assert.deepEqual(
    rows.map(([, code = '', text = '']) => `${code}|${text}`),
    told,
  )
})

test('every dependency has its sentence in docs/architecture.md, and only dependencies have one', () => {
  const rows = [...readPage('docs/architecture.md').matchAll(/^\| `([^`]+)` +\| ([A-Z].+\.) +\|$/gm)]
  assert.deepEqual(
    rows.map(([, name]) => name).sort(),
    Object.keys({ ...described.dependencies, ...described.devDependencies }).sort(),
  )
})

test('every file that the package is to hold exists', () => {
  assert.deepEqual(
    described.files.filter((name) => !/^!|^dist/.test(name) && !exists(name)),
    [],
  )
})

function documents(): string[] {
  return readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && name !== 'delta.md')
    .map((name) => `docs/${name}`)
}

function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Words of code that begin with a file or folder of the project; placeholders such as `src/x/y.ts` are none. */
function pathsIn(text: string): string[] {
  const code = [...text.matchAll(/`([^`\n]+)`/g), ...text.matchAll(/```sh\n([^]*?)```/g)]
  const words = code.flatMap(([, inner = '']) => inner.split(/[\s,;:()'"]+/))
  return words
    .filter((word) => TOP.includes(word.split('/')[0] ?? '') && !MADE.test(word))
    .filter((word) => !/[<*>]/.test(word) && !word.includes('x/y'))
}

function exists(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false }) !== undefined
}

function flat(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim()
}
