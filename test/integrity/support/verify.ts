import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import kafkajs from 'kafkajs'
import { readWatermarks } from '../../kafka/watermarks.ts'
import type { Expected } from './topic.ts'

/** What was found, against what was expected; all zero but `rows` and `letters` when all is well. */
export interface Findings {
  readonly rows: number
  readonly letters: number
  readonly missingRows: number
  readonly repeatedRows: number
  readonly wrongRows: number
  readonly missingLetters: number
  readonly repeatedLetters: number
  readonly wrongLetters: number
}

/** Reads the whole table by `table cat` and the whole dead-letter topic, committed records only. */
export async function verify(
  expected: Expected,
  where: {
    readonly program: readonly string[]
    readonly uri: string
    readonly brokers: readonly string[]
    readonly deadLetterTopic: string
    readonly env?: NodeJS.ProcessEnv
  },
): Promise<Findings> {
  const rows = tally(expected)
  await eachRow(
    [...where.program, 'table', 'cat', where.uri, '--columns', '_kafka_partition,_kafka_offset'],
    where.env ?? {},
    (row) => rows.add(row['_kafka_partition'] as number, row['_kafka_offset'] as number),
  )
  const letters = tally(expected)
  await eachLetter(where.brokers, where.deadLetterTopic, (letter) =>
    letters.add(letter['original_partition'] as number, letter['original_offset'] as number),
  )
  return {
    rows: rows.total(),
    letters: letters.total(),
    ...named(rows.compare(1), 'Rows'),
    ...named(letters.compare(2), 'Letters'),
  } as Findings
}

/** Whether nothing is missing, repeated or out of place. */
export function isExact({ rows, letters, ...faults }: Findings, expected: Expected): boolean {
  return (
    rows === expected.good && letters === expected.bad && Object.values(faults).every((count) => count === 0)
  )
}

function named(counts: Record<string, number>, suffix: string): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${name}${suffix}`, count]))
}

/** Counts how often each offset was seen. */
function tally({ partitions }: Expected): {
  add(partition: number, offset: number): void
  total(): number
  compare(kind: 1 | 2): { missing: number; repeated: number; wrong: number }
} {
  const seen = partitions.map((kinds) => new Uint8Array(kinds.length))
  let outside = 0
  let total = 0
  return {
    add(partition, offset) {
      total++
      const counts = seen[partition]
      if (counts === undefined || offset >= counts.length) outside++
      else counts[offset] = Math.min(255, (counts[offset] ?? 0) + 1)
    },
    total: () => total,
    compare(kind) {
      const result = { missing: 0, repeated: 0, wrong: outside }
      partitions.forEach((kinds, partition) =>
        kinds.forEach((is, offset) => {
          const count = seen[partition]?.[offset] ?? 0
          if (is === kind && count === 0) result.missing++
          if (is === kind && count > 1) result.repeated++
          if (is !== kind && count > 0) result.wrong++
        }),
      )
      return result
    },
  }
}

async function eachRow(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  take: (row: Record<string, unknown>) => void,
): Promise<void> {
  const [program = 'node', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  for await (const line of createInterface({ input: child.stdout }))
    take(JSON.parse(line) as Record<string, unknown>)
  const code = await ended
  if (code !== 0) throw new Error(`table cat ended with ${code}`)
}

/** Every dead letter of a topic, committed ones only. */
export async function eachLetter(
  brokers: readonly string[],
  topic: string,
  take: (letter: Record<string, unknown>) => void,
): Promise<void> {
  const ends = await readWatermarks({ brokers, clientId: 'integrity' }, topic)
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `integrity-${Math.random().toString(36).slice(2)}` })
  const open = new Set([...ends].filter(([, { high, low }]) => high > low).map(([partition]) => partition))
  if (open.size === 0) return
  const done = withResolvers()
  const passed = (partition: number, last: bigint): void => {
    if (last + 1n >= (ends.get(partition)?.high ?? 0n)) open.delete(partition)
    if (open.size === 0) done.resolve(undefined)
  }
  // A transaction's marker is the last record and never delivered, but the batch that it ends is told of.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
    passed(payload.partition, BigInt(payload.lastOffset)),
  )
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      for (const { value } of batch.messages)
        if (value !== null) take(JSON.parse(value.toString()) as Record<string, unknown>)
      return Promise.resolve()
    },
  })
  const timer = setTimeout(() => done.reject(new Error(`The end of ${topic} was not reached`)), 60_000)
  try {
    await done.promise
  } finally {
    clearTimeout(timer)
    await consumer.disconnect()
  }
}

function withResolvers(): {
  promise: Promise<undefined>
  resolve: (value: undefined) => void
  reject: (error: Error) => void
} {
  let resolve: (value: undefined) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<undefined>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
