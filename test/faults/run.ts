// Servers fail under full input, at length and with the default settings: `npm run faults -- --refuse-ms 120000`.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/core/errors.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { startRegistry } from '../support/servers/registry.ts'
import { startS3 } from '../support/servers/s3.ts'
import { startKafkaCluster } from '../support/servers/kafka-cluster.ts'
import { brokerRestarts } from './support/broker.ts'
import { clusterFails } from './support/cluster.ts'
import { idleTail, manyPartitions } from './support/idle.ts'
import { registryFails } from './support/registry.ts'
import { LONG_SESSIONS, rollingRestart } from './support/rolling.ts'
import type { Setting } from './support/scenario.ts'
import { silentBroker } from './support/silent.ts'
import { sigterms } from './support/sigterm.ts'
import { storesFail } from './support/stores.ts'

const { values } = parseArgs({
  options: {
    'refuse-ms': { type: 'string', default: '120000' },
    // All topics of a scenario together.
    rate: { type: 'string', default: '5000' },
    sigterms: { type: 'string', default: '20' },
    seed: { type: 'string' },
    scenario: { type: 'string', multiple: true },
    // Default: that of the service.
    'circuit-open-ms': { type: 'string' },
  },
})

const say = (line: string): void => console.log(line)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const openMs = values['circuit-open-ms']

const SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<void>>> = {
  stores: async (setting) => {
    const [kafka, s3] = await Promise.all([startKafka({ onProgress: say }), startS3({ say })])
    await storesFail({ ...setting, brokers: kafka.brokers, s3 }).finally(() =>
      Promise.all([kafka.stop(), s3.stop()]),
    )
  },
  broker: async (setting) => {
    const kafka = await startKafka({ onProgress: say })
    await brokerRestarts({ ...setting, kafka, outageMs: Math.min(setting.outageMs, BROKER_MS_MAX) }).finally(
      () => kafka.stop(),
    )
  },
  cluster: async (setting) => {
    const cluster = await startKafkaCluster({ say })
    await clusterFails({ ...setting, cluster, commitMsMax: COMMIT_MS_MAX }).finally(() => cluster.stop())
  },
  rolling: async (setting) => {
    const kafka = await startKafka({ onProgress: say, config: LONG_SESSIONS })
    const limits = { pauseMsMax: PAUSE_MS_MAX, startMsMax: START_MS_MAX }
    const group = { brokers: kafka.brokers, workers: 3, partitions: 12, ...limits }
    try {
      for (const protocol of ['classic', 'consumer'] as const) {
        await rollingRestart({
          ...setting,
          ...group,
          protocol,
          isStatic: true,
          signals: ['SIGTERM', 'SIGKILL'],
        })
        await rollingRestart({ ...setting, ...group, protocol, isStatic: false, signals: ['SIGTERM'] })
      }
    } finally {
      await kafka.stop()
    }
  },
  silent: async (setting) => {
    const kafka = await startKafka({ onProgress: say })
    await silentBroker({ ...setting, kafka }).finally(() => kafka.stop())
  },
  idle: async (setting) => {
    const kafka = await startKafka({ onProgress: say })
    try {
      const measured = { ...setting, brokers: kafka.brokers, measureMs: 60_000 }
      await idleTail({ ...measured, cpuMax: 0.02 })
      await manyPartitions({ ...measured, partitions: 1_000, cpuMax: 0.05, residentMiBMax: 300 })
    } finally {
      await kafka.stop()
    }
  },
  registry: async (setting) => {
    const [kafka, registry] = await Promise.all([startKafka({ onProgress: say }), startRegistry({ say })])
    await registryFails({ ...setting, brokers: kafka.brokers, registryUrl: registry.url }).finally(() =>
      Promise.all([kafka.stop(), registry.stop()]),
    )
  },
  sigterms: async (setting) => {
    const kafka = await startKafka({ onProgress: say })
    await sigterms({ ...setting, brokers: kafka.brokers, times: Number(values.sigterms) }).finally(() =>
      kafka.stop(),
    )
  },
}
/** The load generator gives up on brokers that are gone for half a minute or so, and the scenario waits for what it produces. */
const BROKER_MS_MAX = 20_000
/** The time in which commits go on once a cluster that lost a broker accepts records again, which takes it about 9 s. */
const COMMIT_MS_MAX = 10_000
/** The longest pause, over a restart of another worker, of a partition that stays where it is. */
const PAUSE_MS_MAX = 1_000
/** The time from the start of a static member to the first rows of its partitions. */
const START_MS_MAX = 3_000

const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-faults-'))
let failures = 0
try {
  say(`seed ${seed}`)
  for (const name of values.scenario ?? Object.keys(SCENARIOS)) {
    const run = SCENARIOS[name]
    if (run === undefined) throw new Error(`There is no scenario ${name}`)
    const startMs = Date.now()
    const own = join(folder, name)
    await mkdir(own)
    say(name)
    const result = await run({
      program: ['node', 'dist/command/main.js'],
      folder: own,
      rate: Number(values.rate),
      outageMs: Number(values['refuse-ms']),
      ...(openMs === undefined ? {} : { circuit: { openMs: Number(openMs) } }),
      seed,
      say,
    }).then(
      () => 'passed',
      (error: unknown) => {
        failures++
        return `FAILED: ${messageOf(error)}`
      },
    )
    say(`${name} ${result} in ${((Date.now() - startMs) / 1000).toFixed(1)} s`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1
