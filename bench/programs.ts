import type { Measured, Task } from './measured.ts'
import { runProgram } from './run-program.ts'

/** Names a measured program, `bench/<name>`, which runs as a bundle, as the command does. */
export type Program = 'floor' | 'read' | 'whole'

/** Holds the results of floor and another program, run one after the other so that the load of the machine affects both. */
export interface Pair {
  readonly floor: Measured
  readonly other: Measured
}

/**
 * Runs a measured program as a process of its own, on all cores or on the `cores` as `taskset` names them. With `profiles`, it
 * writes a CPU profile to that folder.
 */
export function measure(
  program: Program,
  task: Task,
  { profiles, cores }: { readonly profiles?: string | undefined; readonly cores?: string | undefined } = {},
): Promise<Measured> {
  const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  return runProgram<Measured>(`bundled/${program}`, task, flags, cores)
}

/** Returns the ratio of the other program's CPU per record to that of the floor, both including their start. */
export function ratioOf({ floor, other }: Pair): number {
  return microsOf(other) / microsOf(floor)
}

/** Returns the CPU per record, in microseconds. */
export function microsOf({ cpuS, records }: Measured): number {
  return (cpuS * 1e6) / records
}

/** Returns the median: the middle number, or the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN
  return (upper + lower) / 2
}
