import { rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import { NO_COUNTS, plusCounts } from '../../core/batch.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { userEvents } from '../../sample/user-events.ts'
import { startKafka } from '../../servers/kafka.ts'
import { DEMO_PARTS, type DemoParts } from './parts.ts'
import { demoKafka } from './kafka.ts'
import { disagreements, reportLines } from './report.ts'
import { packageFile } from '../package-file.ts'
import { count, showProgress } from '../progress.ts'
import type { Output } from '../progress.ts'

/** How the demo runs; everything has a default. */
export interface DemoOptions {
  /** Records to produce; default 200,000. */
  readonly records?: number
  /** One in so many is bad; default 1,000. */
  readonly badEvery?: number
  /** Folder for the table, created where absent; default `demo` in the working directory. */
  readonly folder?: string
  /** Default: the contract of user events in this package. */
  readonly contract?: string
  /** Default: standard output. */
  readonly output?: Output
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** How the user calls kafka-delta; default `npx kafka-delta`. */
  readonly commandPrefix?: string
}

const PARTITIONS = 4
const SAMPLE_ROWS = 3
const FLUSH_RECORDS = 50_000
/** Few enough that every header of a flush becomes a link of its trace. */
const TRACEPARENT_EVERY = 500

/**
 * Generated user events through a real Kafka into a Delta table on disk, with a summary. Uses the brokers of
 * `KAFKA_BOOTSTRAP_SERVERS` (fresh topics, deleted afterwards) or starts one of its own. Resolves to the exit code: 0
 * when all sums agree, else 1. The table of an earlier run is replaced.
 * @throws KD_PREREQUISITE_MISSING where Java or Maven is missing; KD_COMMAND_INVALID where something other than an earlier
 * table is in the way.
 */
export async function runDemo(options: DemoOptions = {}, parts: DemoParts = DEMO_PARTS): Promise<number> {
  const output = options.output ?? process.stdout
  const say = (line: string): void => void output.write(`${line}\n`)
  const records = options.records ?? 200_000
  const uri = resolve(options.folder ?? 'demo', 'user_events')
  const contract = options.contract ?? packageFile('schemas/user-events.schema.json')
  const common = { ...options, contract, records, output, uri }
  await clear(uri)
  say(`${count(records)} user events → Kafka → Delta Lake, exactly once\n`)
  const given = (options.env ?? process.env)['KAFKA_BOOTSTRAP_SERVERS'] ?? ''
  if (given !== '') {
    const brokers = given.split(',').map((broker) => broker.trim())
    say(`Kafka          ${given} (KAFKA_BOOTSTRAP_SERVERS)`)
    const suffix = Date.now().toString(36)
    const topics = topicsNamed(`kafka-delta-demo-${suffix}`)
    try {
      return await carry(parts, { ...common, brokers, topics, groupId: topics.events })
    } finally {
      await demoKafka(brokers)
        .deleteTopics([topics.events, topics.deadLetters])
        .catch((error: unknown) => {
          say(`The topics of this demo could not be deleted: ${messageOf(error)}`)
        })
    }
  }
  const server = await startKafka({ say })
  try {
    say(`Kafka          ${server.brokers.join()}, started in a temporary folder for this demo`)
    const topics = topicsNamed('user.events.v1')
    const { brokers } = server
    return await carry(parts, { ...common, brokers, topics, groupId: 'kafka-delta-demo' })
  } finally {
    await server.stop()
  }
}

interface Topics {
  readonly events: string
  readonly deadLetters: string
}

interface Carriage extends DemoOptions {
  readonly contract: string
  readonly records: number
  readonly output: Output
  readonly uri: string
  readonly brokers: readonly string[]
  readonly topics: Topics
  readonly groupId: string
}

async function carry(parts: DemoParts, carriage: Carriage): Promise<number> {
  const { topics, uri, records, output, brokers } = carriage
  const kafka = demoKafka(brokers)
  await kafka.createTopics([
    { topic: topics.events, partitions: PARTITIONS },
    { topic: topics.deadLetters, partitions: 1 },
  ])
  const producing = showProgress(output, 'Producing     ', records)
  const seed = Date.now() & 0x7fff_ffff
  const events = userEvents({
    seed,
    count: records,
    badEvery: carriage.badEvery ?? 1_000,
    traceparentEvery: TRACEPARENT_EVERY,
  })
  const produced = await kafka.produce(topics.events, events, (sent) => {
    producing.at(sent)
  })
  producing.end()
  const carrying = showProgress(output, 'Carrying      ', records)
  let commits = 0
  let counts = NO_COUNTS
  const startMs = performance.now()
  await parts.run(configOf(carriage), (more) => {
    commits++
    counts = plusCounts(counts, more)
    carrying.at(counts.records)
  })
  const runMs = performance.now() - startMs
  carrying.end()
  const table = await parts.readTable(uri, SAMPLE_ROWS)
  const deadLetters = await kafka.deadLetters(topics.deadLetters)
  const outcome = { produced, counts, commits, table, deadLetters, runMs }
  const shown = relative(process.cwd(), uri)
  const lines = reportLines(outcome, {
    uri: shown.startsWith('..') ? uri : shown,
    deadLetterTopic: topics.deadLetters,
    commandPrefix: carriage.commandPrefix ?? 'npx kafka-delta',
  })
  output.write(`${lines.join('\n')}\n`)
  return disagreements(outcome).length === 0 ? 0 : 1
}

function configOf({ brokers, groupId, topics, contract, uri, env = process.env }: Carriage): Config {
  return loadConfig({
    object: {
      kafka: { brokers, groupId },
      log: { level: env['LOG_LEVEL'] ?? 'error' },
      topics: {
        'user-events': {
          topic: topics.events,
          contract,
          kafkaColumns: true,
          derive: { event_date: 'date(timestamp)' },
          startFrom: 'earliest',
          table: { uri, partitionColumns: ['event_date'] },
          flush: { count: FLUSH_RECORDS },
          deadLetters: { topic: topics.deadLetters },
        },
      },
    },
  })
}

/** Removes an earlier demo's table; anything else that has its place is left alone and refused. */
async function clear(uri: string): Promise<void> {
  if (existsSync(uri) && !existsSync(join(uri, '_delta_log'))) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      'the demo would overwrite a folder that is no Delta table',
      {
        path: uri,
      },
    )
  }
  await rm(uri, { recursive: true, force: true })
}

function topicsNamed(events: string): Topics {
  return { events, deadLetters: `${events}-dlq` }
}
