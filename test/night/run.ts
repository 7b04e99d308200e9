// Plays every fault of the night against the built command: `npm run night`, `npm run night -- --only disk-full`,
// `--list`, `--short`; `--no-table` leaves the page as it is, `--samples FILE` keeps what `/readyz` said.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios/index.ts'
import { Night } from './support/night.ts'
import { play, type Outcome } from './support/play.ts'
import type { Judged } from './support/judge.ts'
import { readySaid, normalize, writeTable } from './support/table.ts'

// The service must run on the Node of this machine; that a later release of its SDK will not is no news of the night.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    'no-table': { type: 'boolean', default: false },
    // File for every sample of /readyz beside what was true.
    samples: { type: 'string' },
  },
})

/** Of one fault in the report; what a broker wrote before it failed may be long. */
const TEXT_MAX = 800

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
  const judged = outcomes.flatMap((outcome) => outcome.judged)
  const count = (kind: Judged['wrong']): number => judged.filter(({ wrong }) => wrong === kind).length
  say(
    `${judged.length} samples of /readyz: ${count('ready while no topic progressed')} ready while no topic progressed, ${count('not ready while all topics progressed')} not ready while all topics progressed`,
  )
  if (values.samples !== undefined) await writeSamples(values.samples, outcomes)
  say(`${outcomes.length - failed.length} passed, ${failed.length} failed`)
  if (!values['no-table'] && values.only === undefined && !values.short) await writeTable(outcomes)
  return outcomes
}

async function writeSamples(path: string, outcomes: readonly Outcome[]): Promise<void> {
  const lines = outcomes.flatMap(({ scenario, judged }) =>
    judged.map((one) => JSON.stringify({ scenario: scenario.name, ...one })),
  )
  await writeFile(path, `${lines.join('\n')}\n`)
}

function report(outcome: Outcome): void {
  const { scenario, wrong, tookMs, saidAfterMs, lines } = outcome
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const said = saidAfterMs === undefined ? '' : `, said after ${seconds(saidAfterMs)}`
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${scenario.name} in ${seconds(tookMs)}${said}`)
  console.log(normalize(`         /readyz ${readySaid(outcome)}`))
  for (const { level, msg } of lines) console.log(normalize(`         ${level}: ${msg}`).slice(0, 300))
  for (const one of wrong) console.log(`       - ${one.slice(0, TEXT_MAX)}`)
}
