import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { seededRandom } from '../../../src/sample/random.ts'
import { readGroupOffsets } from '../../../src/kafka/client/admin.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { startWorker, type Worker } from './worker.ts'
import type { Expected } from './topic.ts'

/** Everything a scenario works with. */
export interface Setting {
  /** How kafka-delta is called: `['node', 'dist/command/main.js']`. */
  readonly program: readonly string[]
  readonly brokers: readonly string[]
  /** An empty folder for configuration and table. */
  readonly folder: string
  readonly topic: string
  readonly expected: Expected
  readonly seed: number
  readonly kills: number
  readonly flush: { readonly count?: number; readonly bytes?: number; readonly ageMs?: number }
  readonly say: (line: string) => void
}

/** How a scenario ended. */
export interface Outcome {
  readonly uri: string
  readonly deadLetterTopic: string
  readonly group: string
  readonly peakMiB: number
}

interface Prepared extends Outcome {
  readonly config: string
}

/** The longest that a killed process may have run. */
const KILL_MS_MAX = 4_000

async function prepare(name: string, { brokers, folder, topic, flush }: Setting): Promise<Prepared> {
  const uri = join(folder, name)
  const group = `${topic}-${name}`
  const deadLetterTopic = `${topic}-${name}-dlq`
  const config = join(folder, `${name}.json`)
  await mkdir(folder, { recursive: true })
  const content = {
    // A dead member is noticed soon, so that twenty kills do not take an hour.
    kafka: { brokers, groupId: group, sessionTimeoutMs: 6_000, heartbeatMs: 1_000 },
    topics: {
      events: {
        topic,
        contract: resolve('schemas/user-events.schema.json'),
        kafkaColumns: true,
        derive: { event_date: 'date(timestamp)' },
        table: { uri, partitionColumns: ['event_date'] },
        flush,
        deadLetters: { topic: deadLetterTopic },
      },
    },
  }
  await writeFile(config, JSON.stringify(content))
  return { uri, group, deadLetterTopic, config, peakMiB: 0 }
}

/** One process, left alone. */
export async function undisturbed(setting: Setting): Promise<Outcome> {
  const prepared = await prepare('undisturbed', setting)
  const worker = startWorker(setting.program, ['run', '--config', prepared.config, '--until', 'latest'])
  await mustEnd(worker, 0)
  return { ...prepared, peakMiB: worker.peakMiB() }
}

/** One process at a time, killed by SIGKILL at random moments and started again. */
export async function killed(setting: Setting): Promise<Outcome> {
  const prepared = await prepare('killed', setting)
  const random = chance(setting.seed)
  const args = ['run', '--config', prepared.config, '--until', 'latest', '--set', 'log.level=debug']
  let peakMiB = 0
  for (let kill = 1; kill <= setting.kills; kill++) {
    const worker = startWorker(setting.program, args)
    // Mostly while records flow, now and then while it starts.
    if (random() < 0.8) await worker.saw('Partitions assigned')
    const afterMs = Math.floor(random() * KILL_MS_MAX)
    await Promise.race([worker.ended, new Promise((done) => setTimeout(done, afterMs))])
    worker.kill('SIGKILL')
    const code = await worker.ended
    peakMiB = Math.max(peakMiB, worker.peakMiB())
    setting.say(
      `  kill ${kill} of ${setting.kills}: after ${afterMs} ms, ${commitsOf(worker)} commits${code === null ? '' : `, it had ended with ${code}`}`,
    )
  }
  const last = startWorker(setting.program, args)
  await mustEnd(last, 0)
  return { ...prepared, peakMiB: Math.max(peakMiB, last.peakMiB()) }
}

/** Two processes of one group; now one, now the other is killed and started again. They end by SIGTERM, once all is in the table. */
export async function two(setting: Setting): Promise<Outcome> {
  const prepared = await prepare('two', setting)
  const random = chance(setting.seed + 1)
  const args = [
    'run',
    '--config',
    prepared.config,
    '--set',
    'topics.events.flush.ageMs=1000',
    '--set',
    'log.level=debug',
  ]
  const workers = [startWorker(setting.program, args), startWorker(setting.program, args)]
  let peakMiB = 0
  for (let kill = 1; kill <= setting.kills; kill++) {
    const index = random() < 0.5 ? 0 : 1
    const victim = workers[index] as Worker
    await victim.saw('Partitions assigned')
    const afterMs = Math.floor(random() * KILL_MS_MAX)
    await new Promise((done) => setTimeout(done, afterMs))
    victim.kill('SIGKILL')
    await victim.ended
    peakMiB = Math.max(peakMiB, victim.peakMiB())
    setting.say(
      `  kill ${kill} of ${setting.kills}: process ${index + 1} after ${afterMs} ms, ${commitsOf(victim)} commits`,
    )
    workers[index] = startWorker(setting.program, args)
  }
  await caughtUp(setting, prepared.group, workers)
  // A process that has only just been started has no handler yet, and the signal would simply end it.
  for (const worker of workers) await worker.saw('Starting kafka-delta')
  const startMs = Date.now()
  workers.forEach((worker) => worker.kill('SIGTERM'))
  for (const worker of workers) await mustEnd(worker, 0)
  setting.say(`  SIGTERM: both ended with 0 after ${Date.now() - startMs} ms`)
  return { ...prepared, peakMiB: Math.max(peakMiB, ...workers.map((worker) => worker.peakMiB())) }
}

/** Numbers from 0 to 1. */
function chance(seed: number): () => number {
  const random = seededRandom(seed)
  return () => random() / 2 ** 32
}

function commitsOf(worker: Worker): number {
  return worker.lines.filter((line) => line.includes('"Flush committed"')).length
}

async function mustEnd(worker: Worker, expected: number): Promise<void> {
  const code = await worker.ended
  if (code !== expected)
    throw new Error(
      `expected exit ${expected}, got ${code}; its last lines:\n${worker.lines.slice(-15).join('\n')}`,
    )
}

/** Waits until the group's offsets are at the end of every partition. */
async function caughtUp(
  { brokers, topic }: Setting,
  group: string,
  workers: readonly Worker[],
): Promise<void> {
  const client = { brokers, clientId: 'integrity' }
  const ends = await readWatermarks(client, topic)
  const deadline = Date.now() + 180_000
  for (;;) {
    const offsets = await readGroupOffsets(client, group, topic)
    if ([...ends].every(([partition, { high }]) => (offsets.get(partition) ?? 0n) >= high)) return
    if (Date.now() > deadline) {
      throw new Error(
        `not caught up; last lines:\n${workers.map((worker) => worker.lines.slice(-8).join('\n')).join('\n---\n')}`,
      )
    }
    await new Promise((done) => setTimeout(done, 500))
  }
}
