import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { startWorker } from '../../integrity/support/worker.ts'
import { fillTopic, type Expected } from '../../integrity/support/topic.ts'
import { programOf } from '../../support/program.ts'

/** The program from its sources, so that no build is older than the test. */
export const PROGRAM = ['node', ...programOf(resolve('src/cli/main.ts'))]

/** A topic that was carried into a table. */
export interface Carried {
  readonly expected: Expected
  readonly config: string
  readonly deadLetterTopic: string
  /** The log of the service. */
  readonly lines: readonly string[]
}

/** Fills a topic with user events and carries it into the table at `uri`, in commits of about `flushCount` records. */
export async function carry(options: {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly uri: string
  readonly folder: string
  readonly records: number
  readonly badEvery: number
  readonly flushCount: number
  readonly seed: number
  readonly env?: NodeJS.ProcessEnv
  readonly storage?: object
}): Promise<Carried> {
  const { brokers, topic, uri, folder, records, badEvery, seed, storage, env } = options
  const expected = await fillTopic({ brokers, topic, records, badEvery, partitions: 3, seed })
  const config = join(folder, `${topic}.json`)
  await mkdir(dirname(config), { recursive: true })
  const content = {
    // Small fetches, so that there are more commits than one.
    kafka: { brokers, groupId: topic, fetchBytesPerPartitionMax: 65_536 },
    ...(storage === undefined ? {} : { storage }),
    topics: {
      events: {
        topic,
        contract: resolve('schemas/user-events.schema.json'),
        kafkaColumns: true,
        derive: { event_date: 'date(timestamp)' },
        table: { uri, partitionColumns: ['event_date'] },
        flush: { count: options.flushCount },
      },
    },
  }
  await writeFile(config, JSON.stringify(content))
  const worker = startWorker(PROGRAM, ['run', '--config', config, '--until', 'latest'], env)
  const code = await worker.ended
  if (code !== 0) throw new Error(`expected exit 0, got ${code}:\n${worker.lines.slice(-15).join('\n')}`)
  return { expected, config, deadLetterTopic: `${topic}-dlq`, lines: worker.lines }
}

/** The lines that `kafka-delta` prints to its standard output. */
export async function outputOf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const { execFile } = await import('node:child_process')
  const [command = 'node', ...rest] = PROGRAM
  return new Promise((done, fail) =>
    execFile(
      command,
      [...rest, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) done(stdout.split('\n').filter((line) => line !== ''))
        else fail(new Error(`${args.join(' ')}: ${stderr}`, { cause: error }))
      },
    ),
  )
}

/** The actions of every commit of a table on disk. */
export function actionsOf(table: string, versions: number): Record<string, Record<string, unknown>>[] {
  return Array.from({ length: versions }, (_, version) =>
    join(table, '_delta_log', `${String(version).padStart(20, '0')}.json`),
  ).flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>),
  )
}
