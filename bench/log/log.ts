// `npm run bench:log` measures the cost of a Delta log with 1,000,000 files compared with one of 10 files,
// and writes its section of docs/benchmarks.md.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { findPackageFile } from '../../src/cli/package-file.ts'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { LogMeasured, LogStep, LogTask } from './measured.ts'
import { type LogResults, logSection, MEMORY_MIB_MAX, peakMib, withLogSection } from './page.ts'
import { median } from '../programs.ts'
import { runProgram } from '../run-program.ts'

const FEW = 10

const STEPS: readonly LogStep[] = [
  'all files read',
  'all files read, without statistics',
  'checkpoint, unchanged files copied',
  'checkpoint, every file encoded anew',
]

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench:log --')
    .option('--files <n>', 'number of files of the large table', parseCount, 1_000_000)
    .option('--opens <n>', 'number of times each table is opened', parseCount, 5)
    .parse(argv)
    .opts<{ readonly files: number; readonly opens: number }>()
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-log-'))
  try {
    const results = await measureAll(folder, flags)
    const path = join(dirname(findPackageFile('package.json')), 'docs', 'benchmarks.md')
    await writeFile(path, withLogSection(await readFile(path, 'utf8'), logSection(results)))
    console.log(`Written to docs/benchmarks.md`)
    const peak = peakMib(results)
    console.log(`At most ${peak} MiB of memory; the limit is ${MEMORY_MIB_MAX} MiB`)
    return peak <= MEMORY_MIB_MAX ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureAll(
  folder: string,
  { files, opens }: { readonly files: number; readonly opens: number },
): Promise<LogResults> {
  const loadAverage = loadavg()[0] ?? NaN
  const few = { table: join(folder, 'few'), files: FEW }
  const many = { table: join(folder, 'many'), files }
  await measure({ step: 'build', ...few })
  await measure({ step: 'build', ...many })
  const open = { few: [] as LogMeasured[], many: [] as LogMeasured[] }
  for (let run = 0; run < opens; run++) {
    // Alternating, so that the load of the machine affects both.
    open.few.push(await measure({ step: 'open and first commit', ...few }))
    open.many.push(await measure({ step: 'open and first commit', ...many }))
  }
  const ratio = median(open.many.map(({ cpuS }, run) => cpuS / (open.few[run]?.cpuS ?? NaN)))
  const steps: [LogStep, LogMeasured][] = []
  for (const step of STEPS) {
    if (step.startsWith('checkpoint')) await measure({ step: 'open and first commit', ...many })
    steps.push([step, await measure({ step, ...many })])
  }
  return { files, few: FEW, opens, open, ratio, steps, loadAverage }
}

async function measure(task: LogTask): Promise<LogMeasured> {
  const measured = await runProgram<LogMeasured>('log/task', task)
  const mib = Math.round(measured.rssBytesMax / 2 ** 20)
  console.log(
    `${task.step}, ${task.files} files: ${measured.wallS.toFixed(2)} s, CPU ${measured.cpuS.toFixed(2)} s, ${mib} MiB`,
  )
  return measured
}
