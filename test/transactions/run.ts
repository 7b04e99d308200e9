// Tables hold exactly what Java's consumer reads: `npm run transactions -- --seeds 200 --brokers 3.9.1,4.1.0,4.4.0`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { messageOf } from '../../src/core/errors.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { compareTables, type ScenarioFindings, type ScenarioSetting } from './support/scenario.ts'
import { startWriters } from './support/writers.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    // Versions, separated by commas; default: that of `servers/kafka/pom.xml`.
    brokers: { type: 'string' },
    // The first seed.
    seed: { type: 'string', default: '1' },
    // One seed in this number has runs that are killed.
    'kills-once-in': { type: 'string', default: '8' },
    // Seeds at the same time: most of the time goes into waiting for servers.
    parallel: { type: 'string', default: '4' },
  },
})

const PROGRESS_EVERY = 20
const SEED_MS_MAX = 300_000

const say = (line: string): void => console.log(line)
let failures = 0
for (const version of values.brokers?.split(',') ?? [undefined]) failures += await compareWith(version)
process.exitCode = failures === 0 ? 0 : 1

/** Compares all seeds against one version of the broker; returns the number of seeds that failed. */
async function compareWith(version: string | undefined): Promise<number> {
  const name = `Kafka ${version ?? 'of the project'}`
  const startMs = Date.now()
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-transactions-'))
  const kafka = await startKafka({ onProgress: say, ...(version === undefined ? {} : { version }) })
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  const writers = await startWriters(kafka.brokers[0] ?? '', version)
  say(`${name}${writers.hasLibrdkafka ? '' : ', without librdkafka: Python is missing'}`)
  const total = { committed: 0, uncommitted: 0, runs: 0, stopped: 0, killed: 0 }
  const ended = { exact: 0, wrong: 0 }
  const compare = async (seed: number): Promise<void> => {
    const topic = `transactions-${seed}`
    const setting = {
      brokers: kafka.brokers,
      writers,
      topic,
      folder,
      seed,
      program: ['node', 'dist/command/main.js'],
      hasKills: seed % Number(values['kills-once-in']) === 0,
    }
    try {
      const found = await comparedInTime(setting)
      for (const each of Object.keys(total) as (keyof typeof total)[]) total[each] += found[each]
      ended.exact++
    } catch (error) {
      ended.wrong++
      say(`WRONG  seed ${seed}: ${messageOf(error)}`)
    }
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined)
    await rm(join(folder, topic), { recursive: true, force: true })
    if ((ended.exact + ended.wrong) % PROGRESS_EVERY === 0)
      say(`  ${ended.exact} seeds exact, ${ended.wrong} wrong`)
  }
  try {
    const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.seed) + index)
    const lane = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) await compare(seed)
    }
    await Promise.all(Array.from({ length: Number(values.parallel) }, lane))
  } finally {
    await admin.disconnect()
    await writers.close()
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
  const verdict = ended.wrong === 0 ? 'exact' : 'WRONG'
  say(
    `${verdict}  ${name}: ${ended.exact} seeds exact, ${ended.wrong} wrong, ${seconds} s, ${JSON.stringify(total)}`,
  )
  return ended.wrong
}

async function comparedInTime(setting: ScenarioSetting): Promise<ScenarioFindings> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`expected an end within ${SEED_MS_MAX / 1000} s`))
    }, SEED_MS_MAX)
  })
  try {
    return await Promise.race([compareTables(setting), late])
  } finally {
    clearTimeout(timer)
  }
}
