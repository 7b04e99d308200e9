import { BatchThreads } from '../../../src/threads/read-batches.ts'
import { BatchReader, buffersOfResult, type ReadTask } from '../../../src/threads/read-columns.ts'

/** Threads that read on this thread, with tasks and results as messages carry them. `tasks` collects what they were asked. */
export function instantThreads(
  { batchesMax = 100, tasks = [] }: { batchesMax?: number; tasks?: ReadTask[] } = {},
  onFault: (fault: string) => void = (fault) => {
    throw new Error(fault)
  },
): BatchThreads {
  const reader = new BatchReader()
  return new BatchThreads(
    async (task, transfer) => {
      tasks.push(task)
      const result = await reader.read(structuredClone(task, { transfer: [...transfer] }))
      return 'fault' in result ? result : structuredClone(result, { transfer: buffersOfResult(result) })
    },
    batchesMax,
    onFault,
  )
}
