import { rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import type { Config } from '../../../config/types.ts'
import { NO_COUNTS, addCounts } from '../../core/batch.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { generateUserEvents } from '../../sample/user-events.ts'
import { startDemoBroker, type DemoBrokerKind } from './broker.ts'
import { DEMO_DEPENDENCIES, type DemoDependencies } from './dependencies.ts'
import { createDemoKafka } from './kafka.ts'
import { findMismatches, demoReportLinesOf } from './report.ts'
import { findPackageFile } from '../package-file.ts'
import { formatCount, showProgress } from '../progress.ts'
import type { TextOutput } from '../progress.ts'

/** Configures the demo; every option has a default. */
interface DemoOptions {
  /** Number of records to produce; default 200,000. */
  readonly records?: number
  /** Every n-th record is invalid; default 1,000. */
  readonly badEvery?: number
  /** Folder for the table, created if necessary; default `demo` in the working directory. */
  readonly folder?: string
  /** Path of the contract; default: the contract of user events in this package. */
  readonly contract?: string
  /** Output of the report; default: standard output. */
  readonly output?: TextOutput
  /** Broker to start; default: the embedded one. */
  readonly kafka?: DemoBrokerKind
  /** Environment variables; default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Command that the report suggests to call kafka-delta with; default `npx kafka-delta`. */
  readonly commandPrefix?: string
}

const PARTITIONS = 4
const SAMPLE_ROWS = 3
const FLUSH_RECORDS = 50_000
/** Rare enough that a flush can link every header's trace. */
const TRACEPARENT_EVERY = 500

/**
 * Runs the demo: produces generated user events to Kafka, ingests them into a local Delta table and prints a
 * report. Uses the brokers of `KAFKA_BOOTSTRAP_SERVERS`, with new topics that are deleted afterwards, or
 * starts its own broker: the embedded one, or Apache Kafka. Replaces the table of an earlier run. Resolves to the exit code: 0 when all counts
 * agree, otherwise 1.
 *
 * @throws KD_PREREQUISITE_MISSING if Apache Kafka is asked for, and Java or Maven is not installed
 * @throws KD_COMMAND_INVALID if the target folder contains something other than a Delta table
 */
export async function runDemo(
  options: DemoOptions = {},
  parts: DemoDependencies = DEMO_DEPENDENCIES,
): Promise<number> {
  const output = options.output ?? process.stdout
  const say = (line: string): void => void output.write(`${line}\n`)
  const records = options.records ?? 200_000
  const uri = resolve(options.folder ?? 'demo', 'user_events')
  const contract = options.contract ?? findPackageFile('schemas/user-events.schema.json')
  const common = { ...options, contract, records, output, uri }
  await removeEarlierTable(uri)
  say(`${formatCount(records)} user events → Kafka → Delta Lake, exactly once\n`)
  const given = (options.env ?? process.env)['KAFKA_BOOTSTRAP_SERVERS'] ?? ''
  if (given !== '') {
    const brokers = given.split(',').map((broker) => broker.trim())
    say(`Kafka          ${given} (KAFKA_BOOTSTRAP_SERVERS)`)
    const suffix = Date.now().toString(36)
    const topics = demoTopicsOf(`kafka-delta-demo-${suffix}`)
    try {
      return await carry(parts, { ...common, brokers, topics, groupId: topics.events })
    } finally {
      await createDemoKafka(brokers)
        .deleteTopics([topics.events, topics.deadLetters])
        .catch((error: unknown) => {
          say(
            `The demo topics ${topics.events} and ${topics.deadLetters} could not be deleted: ${messageOf(error)}`,
          )
        })
    }
  }
  const server = await startDemoBroker(options.kafka ?? 'embedded', say)
  try {
    say(`Kafka          ${server.description}`)
    const topics = demoTopicsOf('user.events.v1')
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

interface DemoRun extends DemoOptions {
  readonly contract: string
  readonly records: number
  readonly output: TextOutput
  readonly uri: string
  readonly brokers: readonly string[]
  readonly topics: Topics
  readonly groupId: string
}

async function carry(parts: DemoDependencies, carriage: DemoRun): Promise<number> {
  const { topics, uri, records, output, brokers } = carriage
  const kafka = createDemoKafka(brokers)
  await kafka.createTopics([
    { topic: topics.events, partitions: PARTITIONS },
    { topic: topics.deadLetters, partitions: 1 },
  ])
  const producing = showProgress(output, 'Producing     ', records)
  const seed = Date.now() & 0x7fff_ffff
  const events = generateUserEvents({
    seed,
    count: records,
    badEvery: carriage.badEvery ?? 1_000,
    traceparentEvery: TRACEPARENT_EVERY,
  })
  const produced = await kafka.produce(topics.events, events, (sent) => {
    producing.update(sent)
  })
  producing.end()
  const carrying = showProgress(output, 'Carrying      ', records)
  let commits = 0
  let counts = NO_COUNTS
  const startMs = performance.now()
  await parts.run(configOf(carriage), (more) => {
    commits++
    counts = addCounts(counts, more)
    carrying.update(counts.records)
  })
  const runMs = performance.now() - startMs
  carrying.end()
  const table = await parts.readTable(uri, SAMPLE_ROWS)
  const deadLetters = await kafka.deadLetters(topics.deadLetters)
  const outcome = { produced, counts, commits, table, deadLetters, runMs }
  const shown = relative(process.cwd(), uri)
  const lines = demoReportLinesOf(outcome, {
    uri: shown.startsWith('..') ? uri : shown,
    deadLetterTopic: topics.deadLetters,
    commandPrefix: carriage.commandPrefix ?? 'npx kafka-delta',
  })
  output.write(`${lines.join('\n')}\n`)
  return findMismatches(outcome).length === 0 ? 0 : 1
}

function configOf({ brokers, groupId, topics, contract, uri, env = process.env }: DemoRun): Config {
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

/** Deletes the table of an earlier demo. Refuses to delete a folder that is not a Delta table. */
async function removeEarlierTable(uri: string): Promise<void> {
  if (existsSync(uri) && !existsSync(join(uri, '_delta_log'))) {
    throw new PipelineError(
      'KD_COMMAND_INVALID',
      'the demo does not overwrite a folder that is not a Delta table; use another --folder',
      {
        path: uri,
      },
    )
  }
  await rm(uri, { recursive: true, force: true })
}

function demoTopicsOf(events: string): Topics {
  return { events, deadLetters: `${events}-dlq` }
}
