import { totalmem } from 'node:os'
import type { Config } from '../../../config/types.ts'
import { Budget } from '../../core/credit/budget.ts'

/**
 * Share of the process memory that all topics may hold; the rest is for decoded copies, the runtime and the program.
 */
const BUDGET_SHARE = 1 / 4
/** A smaller budget would produce files of only a few records. */
const BUDGET_BYTES_MIN = 64 * 1024 * 1024

/** Memory that a worker thread takes beside the columns that it works on: its heap and its copy of the program. */
const THREAD_BYTES = 80 * 1024 * 1024

/** Returns the budget of the process: `budget.bytes`, or by default a quarter of the memory that worker threads leave. */
export function budgetOf(
  config: Pick<Config, 'budget' | 'workers'>,
  memoryBytes = processMemoryBytes(),
): Budget {
  const left = memoryBytes - config.workers * THREAD_BYTES
  const bytes = config.budget.bytes ?? Math.max(BUDGET_BYTES_MIN, Math.floor(left * BUDGET_SHARE))
  return new Budget(bytes)
}

/** Returns the bytes of memory available: the limit of the container, or the memory of the machine. */
function processMemoryBytes(): number {
  const allowed = process.constrainedMemory()
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
}
