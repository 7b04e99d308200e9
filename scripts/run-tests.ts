import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { messageOf } from '../src/core/errors.ts'
import { compileTests } from './compile-tests.ts'

const FILES_AT_ONCE = 2
const TEST_MS_MAX = 15 * 60_000

/**
 * Disables credential lookups in a cloud network that does not exist, and warnings about later releases of a
 * pinned SDK.
 */
const QUIET_AWS = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
}

/** Holds the totals of the test runner; a file that crashes or times out counts as one failed test. */
interface Totals {
  readonly passed: number
  readonly failed: number
}

/** Describes a suite of tests and the servers that it requires. */
export interface Suite {
  /** Folders that contain its test files. */
  readonly folders: readonly string[]
  /** Folders that belong to another suite. */
  readonly without?: readonly string[]
  /**
   * True to call `start` for single files too; by default single files start the servers that they require
   * themselves.
   */
  readonly startsAlways?: boolean
  /**
   * Starts the servers that all files share and adds functions to `stops` that stop them. Resolves to the
   * environment variables with their addresses.
   */
  readonly start: (stops: (() => Promise<void>)[]) => Promise<Readonly<Record<string, string>>>
}

/**
 * Runs the files of a suite, or those at or below the paths `wanted`, with servers that are stopped at the
 * end. The last line of output is `N passed, N failed`. Resolves to the exit code.
 */
export async function runSuite(suite: Suite, wanted: readonly string[]): Promise<number> {
  const stops: (() => Promise<void>)[] = []
  let totals: Totals = { passed: 0, failed: 1 }
  let code = 1
  try {
    const files = await testFiles(suite, wanted)
    const isWhole = wanted.length === 0
    const starting = isWhole || suite.startsAlways === true ? suite.start(stops) : Promise.resolve({})
    // Compiling takes longer than running a few files from their sources, and servers start meanwhile.
    const compiling = isWhole ? compileTests() : Promise.resolve(undefined)
    // Servers that are still starting could not be stopped.
    await Promise.allSettled([starting, compiling])
    ;({ code, totals } = await runTests(files, await starting, await compiling))
  } catch (error) {
    console.error(messageOf(error))
  } finally {
    await Promise.all(stops.map((stop) => stop()))
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`)
  return code
}

async function testFiles({ folders, without = [] }: Suite, wanted: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    })
    const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join(folder, name))
    found.push(...files.filter((file) => !without.some((other) => isUnder(file, other))))
  }
  const paths = wanted.map((path) => relative('.', resolve(path)))
  for (const path of paths)
    if (!found.some((file) => isUnder(file, path))) throw new Error(`There is no test file at ${path}`)
  return found.filter((file) => paths.length === 0 || paths.some((path) => isUnder(file, path))).sort()
}

function isUnder(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`)
}

async function runTests(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  compiled: string | undefined,
): Promise<{ code: number; totals: Totals }> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-test-'))
  const tap = join(folder, 'results.tap')
  const programs = compiled === undefined ? files : files.map((file) => file.replace(/\.ts$/, '.js'))
  const options = [
    '--test',
    `--test-concurrency=${FILES_AT_ONCE}`,
    `--test-timeout=${TEST_MS_MAX}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
  ]
  try {
    const code = await new Promise<number>((done, reject) => {
      const loading = compiled === undefined ? ['--import', 'tsx'] : ['--enable-source-maps']
      const runner = spawn(process.execPath, [...loading, ...options, ...programs], {
        stdio: 'inherit',
        cwd: compiled ?? process.cwd(),
        env: { ...process.env, ...QUIET_AWS, ...env },
      })
      // The runner stops its test processes; afterwards the servers are stopped and the totals printed.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
      runner.once('error', reject)
      runner.once('exit', (exitCode) => {
        done(exitCode ?? 1)
      })
    })
    return totalsOf(await readFile(tap, 'utf8'), code)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function totalsOf(tap: string, code: number): { code: number; totals: Totals } {
  const count = (what: string): number | undefined => {
    const match = new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap)
    return match === null ? undefined : Number(match[1])
  }
  const passed = count('pass')
  const failed = (count('fail') ?? 0) + (count('cancelled') ?? 0)
  // A runner without totals was interrupted; a failing one must not count as a success.
  if (passed === undefined) return { code: code === 0 ? 1 : code, totals: { passed: 0, failed: 1 } }
  return {
    code: code === 0 && failed > 0 ? 1 : code,
    totals: { passed, failed: Math.max(failed, code === 0 ? 0 : 1) },
  }
}
