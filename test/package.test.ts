// The package as a user gets it: packed, unpacked into a clean TypeScript project, type-checked and run.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

interface PackageFile {
  readonly version: string
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const described = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as PackageFile
let folder = ''
let project = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-package-'))
  project = join(folder, 'project')
  await install(await packed())
})

after(() => rm(folder, { recursive: true, force: true }))

test('the example compiles under strict rules and runs in a project that has only the package', async () => {
  await mkdir(join(project, 'src'))
  const example = await readFile(join(root, 'examples', 'custom-chain.ts'), 'utf8')
  // The one change that the example's own comment asks for.
  const imports = example.replaceAll(/from '\.\.\/(?:src|operators)\/[^']+'/g, "from 'kafka-delta'")
  assert.ok(!imports.includes("from '.."))
  await writeFile(join(project, 'src', 'custom-chain.ts'), imports)
  await writeFile(join(project, 'src', 'main.ts'), MAIN)
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'clean', type: 'module' }))
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await runOrTell(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], project)
  const { stdout } = await runOrTell(process.execPath, [join(project, 'out', 'main.js')], project)
  assert.deepEqual(JSON.parse(stdout), { version: '1', rows: 1, deadLetters: 1, code: 'KD_TABLE_MISSING' })
})

test('every entry compiles, and importing the root loads no client, server or parser that it may never use', async () => {
  const names = ['', '/service', '/testing', '/s3', '/azure', '/gcs']
  const lines = names.map((name, index) => `import * as entry${index} from 'kafka-delta${name}'`)
  await writeFile(
    join(project, 'src', 'entries.ts'),
    `${lines.join('\n')}\nconsole.log([${names.map((_, index) => `entry${index}`).join()}].length)\n`,
  )
  await writeFile(join(project, 'src', 'testing.ts'), await exampleOfTesting())
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await runOrTell(process.execPath, [tsc, '-p', project], project)
  const { stdout } = await runOrTell(process.execPath, [join(project, 'out', 'entries.js')], project)
  assert.equal(stdout.trim(), '6')
  await writeFile(join(project, 'loaded.mjs'), LOADED)
  const loaded = await runOrTell(process.execPath, ['--no-warnings', 'loaded.mjs'], project)
  const packages = JSON.parse(loaded.stdout) as readonly string[]
  assert.ok(packages.includes('rxjs') && packages.length < 30, packages.join())
  for (const late of LATE) assert.ok(!packages.includes(late), late)
})

test('a program that esbuild bundles runs beside the packages with native code, WebAssembly and threads', async () => {
  const folderOfBundle = join(folder, 'bundled')
  await mkdir(folderOfBundle)
  await writeFile(
    join(project, 'out', 'bundled.js'),
    "import { testChain } from './testing.js'\nvoid testChain().then(() => console.log('carried'))\n",
  )
  await build({
    entryPoints: [join(project, 'out', 'bundled.js')],
    outfile: join(folderOfBundle, 'program.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: [...BESIDE, '@azure/identity'],
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
    logLevel: 'error',
  })
  for (const name of BESIDE) {
    const link = join(folderOfBundle, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
  const { stdout } = await runOrTell(process.execPath, [join(folderOfBundle, 'program.mjs')], folderOfBundle)
  assert.equal(stdout.trim(), 'carried')
})

/** Packages that find files beside their own, which a bundle cannot hold. */
const BESIDE = ['parquet-wasm', 'snappy', 'lz4-napi', '@node-rs/crc32', '@bokuweb/zstd-wasm', 'piscina']

/** Packages that are loaded when they are used. */
const LATE = [
  '@aws-sdk/client-s3',
  '@azure/storage-blob',
  '@opentelemetry/sdk-trace-node',
  'apache-arrow',
  'csv-parse',
  'fastify',
  'google-auth-library',
  'kafkajs',
  'parquet-wasm',
  'protobufjs',
]

/** Returns the example of tests as a program of its own would have it. */
async function exampleOfTesting(): Promise<string> {
  const example = await readFile(join(root, 'examples', 'testing.ts'), 'utf8')
  return example
    .replaceAll(/'\.\.\/src\/entries\/(\w+)\.ts'/g, "'kafka-delta/$1'")
    .replaceAll("'../src/index.ts'", "'kafka-delta'")
}

test('the command of the package tells its version', async () => {
  const main = join(project, 'node_modules/kafka-delta/dist/command/main.js')
  const { stdout } = await runOrTell(process.execPath, [main, '--version'], project)
  assert.equal(stdout.trim(), described.version)
})

test('worker threads of the library find their program', async () => {
  const program = join(project, 'threads.mjs')
  const script = `import { openThreads } from 'kafka-delta'
const threads = await openThreads({ workers: 1 })
console.log(threads.workers)
await threads.close()
`
  await writeFile(program, script)
  const { stdout } = await runOrTell(process.execPath, [program], project)
  assert.equal(stdout.trim(), '1')
})

test('the package holds what runs, contracts, examples and documents, and neither tests, benchmarks nor sources', async () => {
  const names = await readdir(join(project, 'node_modules/kafka-delta'), { recursive: true })
  const files = names.filter((name) => /\.\w+$|LICENSE$/.test(name))
  // A declaration comes with its map and its source.
  assert.ok(files.length < 1_300, `${files.length} files`)
  for (const needed of [
    'dist/library/index.js',
    'dist/library/worker-thread.js',
    'dist/command/worker-thread.js',
    'dist/command/THIRD-PARTY-LICENSES.txt',
    'dist/src/index.d.ts',
    'dist/src/index.d.ts.map',
    'dist/sources/src/index.ts',
    'dist/src/entries/testing.d.ts',
    'docs/library.md',
    'docs/testing-chains.md',
    'examples/testing.ts',
    'schemas/user-events.schema.json',
    'config/examples/s3.json',
    'servers/kafka/pom.xml',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ])
    assert.ok(names.includes(needed), needed)
  assert.deepEqual(
    names.filter((name) => /\.test\.|^(?:test|src|operators|bench|dist\/bench)\//.test(name)),
    [],
  )
})

test('every dependency is pinned to one exact version', () => {
  const all = { ...described.dependencies, ...described.devDependencies }
  for (const [name, version] of Object.entries(all))
    assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, `${name} ${version}`)
})

/** Packs what a build of this very moment gives; in a folder of its own, since others may be running from `dist`. */
async function packed(): Promise<string> {
  const copy = join(folder, 'kafka-delta')
  await mkdir(copy)
  await cp(join(root, 'package.json'), join(copy, 'package.json'))
  for (const name of described.files.filter((file) => !/^!|^dist/.test(file)))
    await cp(join(root, name), join(copy, name), { recursive: true })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const build = join(root, 'tsconfig.build.json')
  // Types are checked by `npm run typecheck`; the output is the same without, and half the work.
  await runOrTell(process.execPath, [tsc, '-p', build, '--noCheck', '--outDir', join(copy, 'dist')], root)
  const bundle = ['--import', 'tsx', 'scripts/bundle.ts', join(copy, 'dist')]
  await runOrTell(process.execPath, bundle, root)
  await runOrTell('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], copy)
  return join(folder, `kafka-delta-${described.version}.tgz`)
}

/** Unpacks the package among links to what it says it depends on: neither network nor our own development packages. */
async function install(tarball: string): Promise<void> {
  const target = join(project, 'node_modules', 'kafka-delta')
  await mkdir(target, { recursive: true })
  await runOrTell('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], folder)
  const { dependencies, peerDependencies } = described
  for (const name of [...Object.keys(dependencies), ...Object.keys(peerDependencies), '@types/node']) {
    const link = join(project, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(root, 'node_modules', name), link)
  }
}

/** A compiler writes its errors to standard output, which a plain failure would not show. */
async function runOrTell(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly stdout: string }> {
  try {
    return await run(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 })
  } catch (error) {
    const { message, stdout } = error as Error & { readonly stdout: string }
    throw new Error(`${message}\n${stdout}`, { cause: error })
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'out',
    // Types of dependencies must be sound too.
    skipLibCheck: false,
  },
  include: ['src'],
}

/** Prints the packages that importing the root loads, also from modules in CommonJS. */
const LOADED = `
import { createRequire, register } from 'node:module'
import { MessageChannel } from 'node:worker_threads'
const hook = 'let port; export function initialize(data) { port = data } ' +
  'export async function load(url, context, next) { port.postMessage(url); return next(url, context) }'
const { port1, port2 } = new MessageChannel()
const urls = []
port1.on('message', (url) => urls.push(url))
register('data:text/javascript,' + encodeURIComponent(hook), { data: port2, transferList: [port2] })
await import('kafka-delta')
await new Promise((resolve) => setImmediate(resolve))
port1.close()
const all = [...urls, ...Object.keys(createRequire(import.meta.url).cache)]
const names = all.flatMap((url) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? [])
console.log(JSON.stringify([...new Set(names)]))
`

const MAIN = `
import { MemoryStore, PipelineError, openTableWriter, pipeline } from 'kafka-delta'
import type { PipelineCommit, PipelineConfig, PipelineOptions, Source } from 'kafka-delta'
import type { Observable } from 'rxjs'
import { batchesOf, carryPageViews } from './custom-chain.js'

// Types survive the packing: these would not compile if they had become any.
export function whole(source: Source, options: PipelineOptions, config: PipelineConfig): Observable<PipelineCommit> {
  return pipeline(source.batches, options, config)
}
// @ts-expect-error A table writer has no such method.
export const wrong = async () => (await openTableWriter(new MemoryStore())).truncate()

const { commits, deadLetters } = await carryPageViews(
  batchesOf('views', [['{"url":"https://a.example/","at":"2026-03-01T10:00:00Z"}', 'no json']]),
)
const [commit] = commits
const code = await openTableWriter(new MemoryStore()).then(
  () => 'opened',
  (error: unknown) => (error instanceof PipelineError ? error.code : 'something else'),
)
console.log(
  JSON.stringify({
    version: String(commit?.version),
    rows: commit?.counts.rows,
    deadLetters: deadLetters.length,
    code,
  }),
)
`
