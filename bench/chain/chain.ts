/**
 * `npm run bench:chain [records] [runs]` compares the shortest chain in code with the service: both carry the same topic of
 * user events into a new table on the local disk, in turn, in one process. It prints the CPU per record of each and their
 * ratio, as the median of adjacent pairs, because the load of the machine affects both of a pair.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom, toArray } from 'rxjs'
import { readContract } from '../../src/contract/file.ts'
import { json } from '../../src/library/formats.ts'
import { kafkaToDelta } from '../../src/library/kafka-to-delta.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { runTopics } from '../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { loadConfig } from '../../config/load/load.ts'
import { produce } from '../produce.ts'
import { median } from '../programs.ts'

const RECORDS = Number(process.argv[2] ?? 1_000_000)
const RUNS = Number(process.argv[3] ?? 7)
const RUNS_BEFORE = 1
const TOPIC = 'events'
const PARTITIONS = 4

const log = createLogger({ level: 'silent' })
const contractFile = join(process.cwd(), 'schemas/user-events.schema.json')
const contract = await readContract(contractFile)
const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-chain-'))
const kafka = await startKafka()
try {
  await produce(kafka.brokers, { topic: TOPIC, partitions: PARTITIONS }, RECORDS)
  const micros = { service: [] as number[], chain: [] as number[] }
  for (let run = -RUNS_BEFORE; run < RUNS; run++) {
    const service = await measure(() => carryByService(`service-${run}`))
    const chain = await measure(() => carryByChain(`chain-${run}`))
    if (run < 0) continue
    micros.service.push(service)
    micros.chain.push(chain)
  }
  const ratios = micros.chain.map((each, run) => each / (micros.service[run] as number))
  console.log(`${RECORDS} records, ${RUNS} pairs, node ${process.version}`)
  console.log(`service: ${median(micros.service).toFixed(3)} µs of CPU per record`)
  console.log(`chain:   ${median(micros.chain).toFixed(3)} µs of CPU per record`)
  console.log(`chain / service: ${median(ratios).toFixed(3)}`)
} finally {
  await kafka.stop()
  await rm(folder, { recursive: true })
}

/** Returns the CPU per record in microseconds. */
async function measure(carry: () => Promise<number>): Promise<number> {
  const before = process.cpuUsage()
  const rows = await carry()
  const { user, system } = process.cpuUsage(before)
  if (rows !== RECORDS) throw new Error(`${RECORDS} rows were expected, got ${rows}`)
  return (user + system) / RECORDS
}

async function carryByService(name: string): Promise<number> {
  const config = loadConfig({
    object: {
      kafka: { brokers: kafka.brokers, groupId: name },
      topics: { [TOPIC]: { contract: contractFile, table: { uri: join(folder, name) } } },
    },
  })
  const summaries = await runTopics(config, { until: 'latest', log })
  return summaries[TOPIC]?.counts.rows ?? 0
}

async function carryByChain(name: string): Promise<number> {
  const chain = kafkaToDelta({
    ...{ brokers: kafka.brokers, topic: TOPIC, groupId: name, until: 'latest', log },
    format: json(contract),
    table: join(folder, name),
  })
  const commits = await lastValueFrom(chain.pipe(toArray()))
  return commits.reduce((sum, { counts }) => sum + counts.rows, 0)
}
