// Prints what importing each entry of the built package costs beside bare Node: `npm run bench:import`.
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const RUNS = 9
const ENTRIES = ['index', 'service', 'testing', 's3', 'azure', 'gcs']
const PRINT =
  'const { user, system } = process.cpuUsage(); console.log(JSON.stringify([(user + system) / 1000, process.memoryUsage().rss / 2 ** 20]))'

/** Returns the medians of CPU in milliseconds and of RSS in MiB of processes that run `code`. */
function measure(code: string): readonly [number, number] {
  const runs = Array.from(
    { length: RUNS },
    () =>
      JSON.parse(
        execFileSync(process.execPath, ['--input-type=module', '--eval', `${code}; ${PRINT}`], {
          encoding: 'utf8',
        }),
      ) as [number, number],
  )
  const median = (part: 0 | 1): number =>
    runs.map((each) => each[part]).sort((a, b) => a - b)[RUNS >> 1] as number
  return [median(0), median(1)]
}

const bare = measure('0')
console.log(`bare Node ${process.version}: ${bare[0].toFixed(0)} ms of CPU, ${bare[1].toFixed(0)} MiB`)
for (const entry of ENTRIES) {
  const path = resolve(join('dist', 'library', `${entry}.js`))
  const [cpuMs, rssMib] = measure(`await import(${JSON.stringify(path)})`)
  console.log(
    `${entry.padEnd(8)} +${(cpuMs - bare[0]).toFixed(0)} ms (${(cpuMs / bare[0]).toFixed(1)} × bare), +${(rssMib - bare[1]).toFixed(0)} MiB (${(rssMib / bare[1]).toFixed(1)} × bare)`,
  )
}
