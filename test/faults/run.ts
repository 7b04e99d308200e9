// Servers fail under full input, at length and with the default settings: `npm run faults -- --refuse-ms 120000`.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/core/errors.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { startRegistry } from '../support/servers/registry.ts'
import { startS3 } from '../support/servers/s3.ts'
import { brokerRestarts } from './support/broker.ts'
import { registryFails } from './support/registry.ts'
import type { Setting } from './support/scenario.ts'
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
      program: ['node', 'dist/src/cli/main.js'],
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
