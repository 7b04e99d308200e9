import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import type { Isolation } from '../../../src/kafka/records/read-records.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { startWorker } from '../../integrity/support/worker.ts'

/** One run of the service from a topic into a table. */
export interface ServiceRun {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly uri: string
  readonly groupId: string
  /** True if the member has an instance id, so that a run takes the place of a killed one at once. */
  readonly isStatic: boolean
  readonly isolation: Isolation
  /** Maximum of a partition in a fetch response. */
  readonly fetchBytes: number
  /** Records of a flush. */
  readonly flushCount: number
}

/** Carries everything that the topic holds. */
export async function carryAll(run: ServiceRun): Promise<void> {
  await carryUntil(run, () => undefined)
}

/** Stops after the given number of commits, or when the topic is carried; returns whether it was stopped. */
export async function stopAfterCommits(run: ServiceRun, commitsMax: number): Promise<boolean> {
  const stopping = new AbortController()
  let commits = 0
  await carryUntil(
    run,
    () => {
      if (++commits >= commitsMax) stopping.abort()
    },
    stopping.signal,
  )
  return stopping.signal.aborted
}

/** Stops after a time, or when the topic is carried; returns whether it was stopped. */
export async function stopAfterMs(run: ServiceRun, ms: number): Promise<boolean> {
  const stopping = new AbortController()
  const timer = setTimeout(() => {
    stopping.abort()
  }, ms)
  await carryUntil(run, () => undefined, stopping.signal)
  clearTimeout(timer)
  return stopping.signal.aborted
}

/**
 * Starts a process of the service and ends it by SIGKILL a time after it was assigned its partitions; returns whether it
 * was still running.
 */
export async function killAfterMs(
  run: ServiceRun,
  program: readonly string[],
  configPath: string,
  ms: number,
): Promise<boolean> {
  await mkdir(dirname(configPath), { recursive: true })
  await writeFile(configPath, JSON.stringify(configOf(run)))
  const worker = startWorker(program, ['run', '--config', configPath, '--until', 'latest'])
  await worker.saw('Partitions assigned')
  await Promise.race([worker.ended, new Promise((resolve) => setTimeout(resolve, ms))])
  worker.kill('SIGKILL')
  const code = await worker.ended
  if (code !== null && code !== 0)
    throw new Error(`The service ended with ${code}:\n${worker.lines.slice(-15).join('\n')}`)
  return code === null
}

async function carryUntil(run: ServiceRun, onCommit: () => void, signal?: AbortSignal): Promise<void> {
  await runTopics(loadConfig({ object: configOf(run) }), {
    until: 'latest',
    log: createLogger({ level: 'silent' }),
    onCommit,
    ...(signal === undefined ? {} : { signal }),
  })
}

function configOf(run: ServiceRun): object {
  const { brokers, topic, uri, groupId, isStatic, isolation, fetchBytes, flushCount } = run
  return {
    kafka: {
      brokers,
      groupId,
      ...(isStatic ? { groupInstanceId: groupId } : {}),
      isolationLevel: isolation,
      fetchBytesPerPartitionMax: fetchBytes,
      fetchBytesMax: 4 * fetchBytes,
    },
    topics: {
      [topic]: {
        format: 'bytes',
        tombstones: 'row',
        kafkaColumns: true,
        table: { uri },
        flush: { count: flushCount },
        deadLetters: { mode: 'stop' },
      },
    },
  }
}
