// Compares fast paths with slow ones over generated inputs: `npm run fuzz -- --format json --inputs 300000 --seed 1`.
import { fork } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { FuzzTarget } from '../test/fuzz/fuzz-target.ts'
import { fuzzTargetNames, loadFuzzTarget } from '../test/fuzz/targets.ts'

/** Inputs between two lines of progress; each chunk has a seed of its own. */
const CHUNK_INPUTS = 10_000
const INPUTS_DEFAULT = 50_000
const DIFFERENCES_SHOWN_MAX = 20
const JOBS_MAX = 64

/** Names what is run. */
interface FuzzFlags {
  /** All targets that exist, when none is named. */
  readonly formats: readonly string[]
  /** Inputs of each format, over all jobs. */
  readonly inputs: number
  /** Seed of the first chunk; the next chunks count up from it. */
  readonly seed: number
  /** Processes that share the inputs. */
  readonly jobs: number
  /** Path of a module that is not in test/fuzz. */
  readonly module?: string
}

/** Names the chunks that one process runs. */
interface FuzzRun {
  readonly name: string
  readonly inputs: number
  readonly seed: number
}

/**
 * Reads the flags of the script.
 * @throws Error for an unknown flag, an unknown format or a number out of range
 */
export function parseFuzzFlags(args: readonly string[]): FuzzFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      format: { type: 'string', short: 'f', multiple: true },
      inputs: { type: 'string', short: 'n' },
      seed: { type: 'string' },
      jobs: { type: 'string', short: 'j' },
      module: { type: 'string' },
    },
  })
  const formats = values.format?.flatMap((names) => names.split(','))
  const wrong = formats?.find((name) => !/^[a-z][a-z-]*$/.test(name))
  if (wrong !== undefined)
    throw new Error(`expected --format to be one of ${fuzzTargetNames().join(', ')}, got ${wrong}`)
  return {
    formats: formats ?? (values.module === undefined ? fuzzTargetNames() : ['module']),
    inputs: wholeNumber('inputs', values.inputs, INPUTS_DEFAULT, 1, 1e9),
    seed: wholeNumber('seed', values.seed, Date.now() % 0x7fff_ffff, 0, 0x7fff_ffff),
    jobs: wholeNumber('jobs', values.jobs, 1, 1, JOBS_MAX),
    ...(values.module === undefined ? {} : { module: values.module }),
  }
}

function wholeNumber(
  name: string,
  text: string | undefined,
  absent: number,
  least: number,
  most: number,
): number {
  const value = text === undefined ? absent : Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`expected --${name} to be a whole number from ${least} to ${most}, got ${String(text)}`)
  return value
}

/** Runs a target in chunks and prints what differs. Resolves to the number of differences. */
export async function runFuzz(
  { name, inputs, seed }: FuzzRun,
  fuzz: FuzzTarget,
  printLine: (line: string) => void,
): Promise<number> {
  let found = 0
  let shown = 0
  const startMs = performance.now()
  for (let chunk = 0, done = 0; done < inputs; chunk++) {
    const size = Math.min(CHUNK_INPUTS, inputs - done)
    const { differences } = await fuzz({ inputs: size, seed: seed + chunk })
    done += size
    found += differences.length
    const perSecond = Math.round((done * 1_000) / Math.max(1, performance.now() - startMs))
    printLine(
      `${name}: ${done} of ${inputs} inputs from seed ${seed}, ${found} differences, ${perSecond} inputs a second`,
    )
    if (differences.length === 0) continue
    printLine(
      `${name}: seed ${seed + chunk} differs; repeat it with --format ${name} --inputs ${size} --seed ${seed + chunk}`,
    )
    for (const difference of differences.slice(0, DIFFERENCES_SHOWN_MAX - shown)) printLine(`  ${difference}`)
    shown = Math.min(DIFFERENCES_SHOWN_MAX, shown + differences.length)
  }
  return found
}

async function main(args: readonly string[]): Promise<number> {
  const { formats, inputs, seed, jobs, module } = parseFuzzFlags(args)
  let found = 0
  for (const name of formats) {
    console.log(
      `${name}: ${inputs} inputs from seed ${seed} in ${jobs} ${jobs === 1 ? 'process' : 'processes'}`,
    )
    if (jobs === 1) found += await runFuzz({ name, inputs, seed }, await targetOf(name, module), console.log)
    else found += await runJobs({ name, inputs, seed }, jobs, module)
  }
  console.log(`${found} differences`)
  process.send?.(found)
  return found === 0 ? 0 : 1
}

async function targetOf(name: string, module: string | undefined): Promise<FuzzTarget> {
  if (module === undefined) return loadFuzzTarget(name)
  const loaded = (await import(pathToFileURL(module).href)) as { readonly fuzz: FuzzTarget }
  return loaded.fuzz
}

/** Shares the chunks over processes of their own. Resolves to the sum of their differences. */
async function runJobs(
  { name, inputs, seed }: FuzzRun,
  jobs: number,
  module: string | undefined,
): Promise<number> {
  const chunks = Math.ceil(inputs / CHUNK_INPUTS)
  const own = Math.max(1, Math.ceil(chunks / jobs)) * CHUNK_INPUTS
  const running: Promise<number>[] = []
  // Fewer inputs than a chunk are still shared, so that a short run ends sooner.
  const size = chunks < jobs ? Math.ceil(inputs / jobs) : own
  for (let first = 0, job = 0; first < inputs; first += size, job++) {
    const offset = chunks < jobs ? job : (job * own) / CHUNK_INPUTS
    const flags = ['--inputs', String(Math.min(size, inputs - first)), '--seed', String(seed + offset)]
    const what = module === undefined ? ['--format', name] : ['--module', module]
    running.push(runJob([...what, ...flags]))
  }
  const found = await Promise.all(running)
  return found.reduce((sum, each) => sum + each, 0)
}

function runJob(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const end = text.lastIndexOf('\n') + 1
      process.stdout.write(text.slice(0, end))
      text = text.slice(end)
    })
    let found = 0
    child.on('message', (message) => (found = message as number))
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0 || code === 1) resolve(code === 1 ? Math.max(1, found) : 0)
      else reject(new Error(`a process ended with ${String(code ?? signal)}`))
    })
  })
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await main(process.argv.slice(2))
