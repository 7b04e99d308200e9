import { Piscina } from 'piscina'

/** A `WorkerPool` is the pool of threads. Its module is loaded by those alone who want threads. */
export type WorkerPool = Piscina

/** Describes a pool. */
export interface WorkerPoolOptions {
  readonly program: URL
  readonly workers: number
  /** Tasks that one thread works on at once. */
  readonly tasksPerWorker: number
  /** Maximum heap of a thread in MiB. */
  readonly heapMibMax: number
}

/** Creates a pool whose threads live as long as it does. */
export function createWorkerPool({
  program,
  workers,
  tasksPerWorker,
  heapMibMax,
}: WorkerPoolOptions): WorkerPool {
  return new Piscina({
    filename: program.href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: tasksPerWorker,
    maxQueue: workers * tasksPerWorker,
    // Files are encoded in tasks that wait for messages, which a thread that sleeps on a counter would not see.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
    recordTiming: false,
  })
}
