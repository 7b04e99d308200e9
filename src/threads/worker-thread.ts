// The program of a worker thread: the pool calls its exports by name. It has no state beside readers of columns, and opens
// neither connections nor files.
import { move } from 'piscina'
import { encodeOnThread, type EncodeTask } from './encode-on-thread.ts'
import {
  BatchReader,
  buffersOfResult,
  type ReadFault,
  type ReadResult,
  type ReadTask,
} from './read-columns.ts'

const reader = new BatchReader()

/** Reads a batch of values into columns. */
export async function readColumns(task: ReadTask): Promise<ReadResult | ReadFault> {
  const result = await reader.read(task)
  return 'fault' in result ? result : moved(result, buffersOfResult(result))
}

/** Encodes a file whose slices come through a port. */
export async function encodeColumns(task: EncodeTask): Promise<void> {
  await encodeOnThread(task)
}

/** Returns a result whose buffers are moved, not copied, to the main thread. */
function moved<T extends object>(result: T, buffers: readonly ArrayBuffer[]): T {
  return move({
    [Symbol.for('Piscina.transferable')]: buffers,
    [Symbol.for('Piscina.valueOf')]: result,
  } as never) as T
}

/** Returns once the thread has loaded its program. */
export function checkThread(): true {
  return true
}
