import type { MessagePort } from 'node:worker_threads'
import type { FileEncoder } from '../delta/files/encode-file.ts'
import type { ColumnThreads } from '../formats/open/read-ahead.ts'
import { threadEncoder } from './encode-files.ts'
import type { ReadFault, ReadResult } from './read-columns.ts'
import { BatchThreads } from './read-batches.ts'

/** Configures worker threads. */
export interface ThreadsOptions {
  /** Number of threads; at least 1. */
  readonly workers: number
  /** Called when a thread ended, or failed at a batch, which the main thread then decodes. A thread that ended is replaced. */
  readonly onFailure?: (error: unknown) => void
  /** The program of the threads; by default the one beside this module. */
  readonly program?: URL
}

/** Provides the worker threads of a process, which decode batches and encode files for all topics. */
export interface Threads {
  readonly workers: number
  /** Reads columns from the bytes of batches. */
  readonly columns: ColumnThreads
  /** Encodes data files. */
  readonly encoder: FileEncoder
  /** Ends the threads. Call it when no topic uses them any more. */
  close(): Promise<void>
}

/** Batches that are read at once for each thread: one in work and others on their way. */
const BATCHES_PER_THREAD = 4
/** Files that are encoded at once for each thread: most of them wait for their uploads. */
const FILES_PER_THREAD = 64
/** Maximum heap of a thread in MiB. Columns are outside the heap; the budget bounds them. */
const HEAP_MIB_MAX = 256

/**
 * Starts worker threads. They are reached through queues with stated limits: a batch or file that exceeds them is worked on
 * by the main thread. Resolves when the first thread works.
 * @throws when threads cannot be started
 */
export async function openThreads({
  workers,
  onFailure = () => undefined,
  program = programBesideThis(),
}: ThreadsOptions): Promise<Threads> {
  const { createWorkerPool } = await import('./pool.ts')
  const pool = createWorkerPool({
    program,
    workers,
    tasksPerWorker: BATCHES_PER_THREAD + FILES_PER_THREAD,
    heapMibMax: HEAP_MIB_MAX,
  })
  pool.on('error', onFailure)
  const run = (
    name: string,
    task: unknown,
    transfer: readonly (ArrayBuffer | MessagePort)[],
  ): Promise<unknown> => pool.run(task, { name, transferList: [...transfer] as never })
  try {
    await run('checkThread', undefined, [])
  } catch (error) {
    await pool.destroy()
    throw error
  }
  return {
    workers,
    columns: new BatchThreads(
      (task, transfer) => run('readColumns', task, transfer) as Promise<ReadFault | ReadResult>,
      workers * BATCHES_PER_THREAD,
      (fault) => onFailure(new Error(fault)),
    ),
    encoder: threadEncoder(
      (task, transfer) => run('encodeColumns', task, transfer),
      workers * FILES_PER_THREAD,
    ),
    close: () => pool.destroy(),
  }
}

/** A bundle has the program of the threads beside itself, as the compiled modules have. */
function programBesideThis(): URL {
  return new URL('./worker-thread.js', import.meta.url)
}
