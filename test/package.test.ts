// The package as a user gets it: packed, unpacked into a clean TypeScript project, type-checked and run.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

interface PackageFile {
  readonly version: string
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
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
  assert.ok(files.length < 500, `${files.length} files`)
  for (const needed of [
    'dist/library/index.js',
    'dist/library/worker-thread.js',
    'dist/command/worker-thread.js',
    'dist/command/THIRD-PARTY-LICENSES.txt',
    'dist/src/index.d.ts',
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
  for (const name of described.files.filter((file) => !/^!?dist/.test(file)))
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
  for (const name of [...Object.keys(described.dependencies), '@types/node']) {
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
    // Types of our dependencies are checked by their own projects.
    skipLibCheck: true,
  },
  include: ['src'],
}

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
