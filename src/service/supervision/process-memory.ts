import { totalmem } from 'node:os'
import type { Config } from '../../../config/types.ts'
import { Budget } from '../../core/credit/budget.ts'

/** Of the memory of a process what its topics may hold; the rest is for what is made of it, the runtime and the program. */
const BUDGET_SHARE = 1 / 4
/** Less would make a file of every few records. */
const BUDGET_BYTES_MIN = 64 * 1024 * 1024

/** The budget of a process: `budget.bytes`, or a quarter of its memory. */
export function budgetOf(config: Pick<Config, 'budget'>, memoryBytes = processMemory()): Budget {
  const bytes = config.budget.bytes ?? Math.max(BUDGET_BYTES_MIN, Math.floor(memoryBytes * BUDGET_SHARE))
  return new Budget(bytes)
}

/** Bytes of memory that the process may use: what its container allows, or what the machine has. */
function processMemory(): number {
  const allowed = process.constrainedMemory()
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
}
