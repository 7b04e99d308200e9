import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const FOLDERS = ['src', 'operators', 'config', 'test', 'examples']

interface SourceFile {
  readonly path: string
  readonly text: string
  /** Paths of our own files that it imports, from the root of the project. */
  readonly imports: readonly string[]
  /** Names of packages that it imports. */
  readonly packages: readonly string[]
}

const FILES: readonly SourceFile[] = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => fileAt(join(folder, name))),
)

function fileAt(path: string): SourceFile {
  const text = readFileSync(path, 'utf8')
  const targets = [
    ...text.matchAll(
      /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
  const imports = targets
    .filter((target) => target.startsWith('.'))
    .map((target) => normalize(join(dirname(path), target)))
  const packages = targets.filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
  return { path, text, imports, packages }
}

/** Where a file belongs: `src/arrow` is `arrow`; files directly in `src` by their names. */
function placeOf(path: string): string {
  const [first = '', second = '', third] = path.split('/')
  if (first !== 'src') return first
  return third === undefined ? basename(second, '.ts') : second
}

const NOUNS = [
  'compression',
  'registry',
  'resilience',
  'kafka',
  'formats',
  'arrow',
  'sql',
  'parquet',
  'delta',
  'storage',
  'telemetry',
  'contract',
  'enrichments',
  'evolution',
  'dead-letters',
  'jmespath',
  'transforms',
]
/** What each place may import beside itself; `core` is for all. A place that is not named here is not guarded. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: [],
  arrow: [],
  sql: ['arrow'],
  resilience: [],
  storage: ['resilience'],
  compression: [],
  kafka: ['compression', 'resilience'],
  telemetry: ['config'],
  ingest: [],
  contract: [],
  parquet: ['arrow'],
  registry: ['resilience'],
  formats: ['arrow', 'contract', 'compression', 'registry'],
  // Expressions of derived columns are parsed where the configuration is checked.
  enrichments: ['arrow', 'config', 'sql'],
  delta: ['storage', 'parquet', 'arrow', 'sql'],
  // Where contract, messages and table meet.
  evolution: ['arrow', 'contract', 'delta'],
  'dead-letters': ['arrow', 'delta', 'storage', 'kafka'],
  // Expressions are parsed where the configuration is checked.
  jmespath: ['config'],
  transforms: ['arrow', 'config', 'enrichments', 'formats', 'jmespath'],
  operators: NOUNS,
  pipeline: ['operators', ...NOUNS],
  service: ['pipeline', 'operators', 'config', ...NOUNS],
}

const PRODUCT = FILES.filter(({ path }) => !path.startsWith('test/') && !path.startsWith('examples/'))

test('The places that are guarded are there', () => {
  const places = new Set(PRODUCT.map(({ path }) => placeOf(path)))
  for (const place of Object.keys(ALLOWED)) assert.ok(places.has(place), place)
  assert.ok(FILES.filter(({ imports }) => imports.length > 0).length > 100, 'imports are found')
})

test('Imports go one way, and among nouns only where it is said', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) => {
    const place = placeOf(path)
    const allowed = ALLOWED[place]
    if (allowed === undefined) return []
    return imports
      .map(placeOf)
      .filter((to) => to !== place && to !== 'core' && !allowed.includes(to))
      .map((to) => `${path} imports ${to}`)
  })
  assert.deepEqual(faults, [])
})

test('Nothing but the commands imports the commands, and nothing of the product imports tests', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) =>
    imports
      .filter((to) => (placeOf(to) === 'cli' && placeOf(path) !== 'cli') || to.startsWith('test/'))
      .map((to) => `${path} imports ${to}`),
  )
  assert.deepEqual(faults, [])
})

test('Every import of our own names a file that is there, with its extension', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) =>
    imports.filter((to) => !existsSync(to)).map((to) => `${path} imports ${to}`),
  )
  assert.deepEqual(faults, [])
})

test('No imports go in a circle, but for types between a base and what it builds', () => {
  const runtime = new Map(PRODUCT.map((file) => [file.path, fileAt(file.path).text]))
  const edges = new Map([...runtime].map(([path, text]) => [path, valueImports(path, text)]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else if (!done.has(path)) {
      for (const to of edges.get(path) ?? []) visit(to, [...trail, path])
      done.add(path)
    }
  }
  for (const path of edges.keys()) visit(path, [])
  // Builders of nested types make builders of their parts, which show values in messages the same way.
  const known =
    /^src\/arrow\/(?:builder|bytes-builder|fixed-builder)\.ts(?: → src\/arrow\/(?:builder|bytes-builder|fixed-builder)\.ts)+$/
  const readers =
    /^src\/formats\/json-(?:readers|scalars)\.ts(?: → src\/formats\/json-(?:readers|scalars)\.ts)+$/
  assert.deepEqual(
    circles.filter((circle) => !known.test(circle) && !readers.test(circle)),
    [],
  )
})

/** What a file imports for more than types. */
function valueImports(path: string, text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gm)].map((match) =>
    normalize(join(dirname(path), match[1] ?? '')),
  )
}

test('Only src/kafka knows kafkajs, only src/parquet and src/delta know parquet-wasm, only src/storage knows S3', () => {
  const homes: Readonly<Record<string, readonly string[]>> = {
    kafkajs: ['src/kafka/'],
    'parquet-wasm': ['src/parquet/', 'src/delta/'],
    snappy: ['src/compression/'],
    'lz4-napi': ['src/compression/'],
    '@bokuweb/zstd-wasm': ['src/compression/'],
    '@aws-sdk/client-s3': ['src/storage/'],
  }
  const faults = PRODUCT.flatMap(({ path, packages }) =>
    packages
      .filter((name) => homes[name]?.some((home) => path.startsWith(home)) === false)
      .map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(faults, [])
})

test('No file has more than 400 lines', () => {
  assert.deepEqual(
    FILES.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path),
    [],
  )
})

test('There is no any, no default export, nothing left to do, and nothing that is only there for a test run', () => {
  const banned: readonly (readonly [string, RegExp])[] = [
    [
      'any',
      /(?:[:<,|&(]\s*|\bas\s+)any\b(?!['"`\w-]| (?:of|other|way|number|part|kind|type|place|row|byte))/,
    ],
    ['a default export', /^export default\b/m],
    ['something to do', /\bTODO\b|\bFIXME\b/],
    ['a debugger', /^\s*debugger\b/m],
  ]
  const faults = FILES.flatMap(({ path, text }) => {
    const code = text
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => (comment.includes('TODO') ? comment : ''))
      .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    return banned.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path}: ${what}`)
  })
  assert.deepEqual(
    faults.filter((fault) => !fault.startsWith('test/architecture.test.ts')),
    [],
  )
})

test('No test is skipped, left to do, or the only one', () => {
  const pattern = new RegExp(
    `\\b(?:test|it|describe|suite)\\.(?:${['only', 'skip', 'todo'].join('|')})\\b|\\b(?:only|skip|todo): true`,
  )
  assert.deepEqual(
    FILES.filter(({ path, text }) => path.startsWith('test/') && pattern.test(text)).map(({ path }) => path),
    [],
  )
})

test('Every operator has a test of its own', () => {
  const operators = FILES.filter(({ path }) => path.startsWith('operators/') && !path.endsWith('.test.ts'))
  assert.ok(operators.length >= 10)
  assert.deepEqual(
    operators
      .filter(({ path }) => !existsSync(`test/operators/${basename(path, '.ts')}.test.ts`))
      .map(({ path }) => path),
    [],
  )
})
