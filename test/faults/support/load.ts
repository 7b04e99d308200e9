import { spawn } from 'node:child_process'
import type { LoadTotals } from '../../../src/cli/load/report.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { keyOf } from '../../../src/core/raw.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { readTopic } from '../../../src/kafka/source/read-topic.ts'
import type { Expected } from '../../integrity/support/topic.ts'

/** `kafka-delta load` that runs. */
export interface RunningLoad {
  /** Its sums, once it has ended by itself or by `stop`. Rejects with its last words where it failed. */
  readonly ended: Promise<LoadTotals>
  /** Ends it as Ctrl+C does. */
  stop(): Promise<LoadTotals>
}

const WORDS_MAX = 4_000
const FILLED_TRIES_MAX = 600

/** Starts `kafka-delta load` with these arguments; `program` is what stands before them. */
export function startLoad(
  program: readonly string[],
  brokers: readonly string[],
  args: readonly string[],
): RunningLoad {
  const [command = 'node', ...before] = program
  const child = spawn(command, [...before, 'load', '--json', ...args], {
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: brokers.join() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let words = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (stdout += piece))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (words = (words + piece).slice(-WORDS_MAX)))
  const ended = new Promise<LoadTotals>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(stdout) as LoadTotals)
      else reject(new Error(`load ended with ${code}: ${words}`))
    })
  })
  // Whoever awaits it gets the rejection.
  ended.catch(() => undefined)
  return {
    ended,
    stop: () => {
      child.kill('SIGINT')
      return ended
    },
  }
}

/** What a topic that `load` filled holds, read from the brokers: the truth, whatever the producer went through. */
export async function expectedOf(brokers: readonly string[], topic: string): Promise<Expected> {
  const client = { brokers, clientId: 'faults' }
  const ends = await readWatermarks(client, topic)
  const partitions = Array.from(
    { length: ends.size },
    (_, partition) => new Uint8Array(Number(ends.get(partition)?.high ?? 0n)),
  )
  let good = 0
  let bad = 0
  for await (const { payload } of readTopic({ ...client, topic })) {
    for (let record = 0; record < payload.count; record++) {
      const isBad = Buffer.from(keyOf(payload, record) ?? []).toString('latin1', 0, 4) === 'bad-'
      const kinds = partitions[payload.partition]
      if (kinds !== undefined) kinds[Number(payload.offsets[record])] = isBad ? 2 : 1
      if (isBad) bad++
      else good++
    }
  }
  return { partitions, good, bad }
}

/** Resolves once the topic exists and holds a record: the load has begun. */
export async function topicFilled(brokers: readonly string[], topic: string): Promise<void> {
  for (let tries = 0; tries < FILLED_TRIES_MAX; tries++) {
    const ends = await readWatermarks({ brokers, clientId: 'faults' }, topic).catch((error: unknown) => {
      if (error instanceof PipelineError && error.code === 'KD_TOPIC_MISSING')
        return new Map<number, { readonly high: bigint }>()
      throw error
    })
    if ([...ends.values()].some((end: { readonly high: bigint }) => end.high > 0n)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${topic} holds nothing after a minute`)
}
