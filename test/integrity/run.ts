// Nothing lost, nothing twice, at full size: `npm run integrity -- --records 1000000 --kills 20 --seed 7`; with
// `--kafka embedded` on the embedded broker instead of Apache Kafka.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { startBrokerProcess } from '../embedded-kafka/support/broker-process.ts'
import { killed, two, undisturbed, type Outcome, type Setting } from './support/scenarios.ts'
import { fillTopic } from './support/topic.ts'
import { isExact, verify } from './support/verify.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string' },
    kafka: { type: 'string', default: 'real' },
    scenario: { type: 'string', multiple: true },
    'flush-bytes': { type: 'string' },
    'flush-count': { type: 'string', default: '50000' },
  },
})

const SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<Outcome>>> = {
  undisturbed,
  killed,
  two,
}
const PARTITIONS = 4
const BAD_EVERY = 1_000

const say = (line: string): void => console.log(line)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const records = Number(values.records)
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-integrity-'))
const server = await startBroker(values.kafka)
let failures = 0
try {
  say(`seed ${seed}, ${values.kafka === 'embedded' ? 'the embedded broker' : 'Apache Kafka'}`)
  const topic = 'integrity'
  const { brokers } = server
  const expected = await fillTopic({
    brokers,
    topic,
    records,
    badEvery: BAD_EVERY,
    partitions: PARTITIONS,
    seed,
  })
  say(`${records} records in ${PARTITIONS} partitions: ${expected.good} good, ${expected.bad} bad`)
  const program = ['node', 'dist/command/main.js']
  const flush = {
    count: Number(values['flush-count']),
    ...(values['flush-bytes'] === undefined ? {} : { bytes: Number(values['flush-bytes']) }),
  }
  const setting = { program, brokers, folder, topic, expected, seed, kills: Number(values.kills), flush, say }
  for (const name of values.scenario ?? Object.keys(SCENARIOS)) {
    const startMs = Date.now()
    const outcome = await SCENARIOS[name]?.(setting)
    if (outcome === undefined) throw new Error(`There is no scenario ${name}`)
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1)
    const findings = await verify(expected, { program, brokers, ...outcome })
    const exact = isExact(findings, expected)
    if (!exact) failures++
    say(
      `${exact ? 'exact' : 'WRONG'}  ${name}: ${seconds} s, peak ${outcome.peakMiB.toFixed(0)} MiB, ${JSON.stringify(findings)}`,
    )
  }
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

/** Starts the broker that the command line names, in a process of its own. */
function startBroker(kind: string): Promise<{ readonly brokers: readonly string[]; stop(): Promise<void> }> {
  if (kind === 'embedded') return startBrokerProcess()
  if (kind === 'real') return startKafka({ onProgress: say })
  throw new Error(`There is no broker ${kind}: name embedded or real`)
}
