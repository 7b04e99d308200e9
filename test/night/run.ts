// Plays every fault of the night against the built command: `npm run night`, `npm run night -- --only disk-full`,
// `--list`, `--short`; `--no-table` leaves the page as it is.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios/index.ts'
import { Night } from './support/night.ts'
import { play, type Outcome } from './support/play.ts'
import { readySaid, normalize, writeTable } from './support/table.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    'no-table': { type: 'boolean', default: false },
  },
})

const unknown = (values.only ?? []).filter((name) => !SCENARIOS.some((one) => one.name === name))
if (unknown.length > 0) throw new Error(`There is no scenario ${unknown.join(', ')}; --list has them all`)
const wanted = SCENARIOS.filter(
  ({ name, isShort = false }) => (values.only?.includes(name) ?? true) && (!values.short || isShort),
)

if (values.list) for (const { name, fault } of wanted) console.log(`${name.padEnd(28)} ${fault}`)
else process.exitCode = (await playAll()).some(({ wrong }) => wrong.length > 0) ? 1 : 0

async function playAll(): Promise<readonly Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-night-'))
  const say = (line: string): void => console.log(line)
  const night = new Night({ folder, program: ['node', 'dist/command/main.js'], say })
  const outcomes: Outcome[] = []
  try {
    for (const scenario of wanted) {
      const outcome = await play(scenario, night)
      outcomes.push(outcome)
      report(outcome)
    }
  } finally {
    await night.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const failed = outcomes.filter(({ wrong }) => wrong.length > 0)
  say(`${outcomes.length - failed.length} passed, ${failed.length} failed`)
  if (!values['no-table'] && values.only === undefined && !values.short) await writeTable(outcomes)
  return outcomes
}

function report(outcome: Outcome): void {
  const { scenario, wrong, tookMs, saidAfterMs, lines } = outcome
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const said = saidAfterMs === undefined ? '' : `, said after ${seconds(saidAfterMs)}`
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${scenario.name} in ${seconds(tookMs)}${said}`)
  console.log(normalize(`         /readyz ${readySaid(outcome)}`))
  for (const { level, msg } of lines) console.log(normalize(`         ${level}: ${msg}`).slice(0, 300))
  for (const one of wrong) console.log(`       - ${one}`)
}
