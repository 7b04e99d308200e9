import type { Measured, Task } from './measured.ts'
import { runProgram } from './run-program.ts'

/** A program that is measured: `bench/<name>`. */
export type Program = 'floor' | 'whole'

/** One pair, run one after the other so that both meet the same machine. */
export interface Pair {
  readonly floor: Measured
  readonly whole: Measured
}

/** Runs a measured program as a process of its own; with `profiles` it leaves a CPU profile in that folder. */
export function measure(program: Program, task: Task, profiles?: string): Promise<Measured> {
  const flags = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  return runProgram<Measured>(program, task, flags)
}

/** CPU of the pipeline for a record by CPU of the floor for a record, start-up included on both sides. */
export function ratioOf({ floor, whole }: Pair): number {
  return microsOf(whole) / microsOf(floor)
}

/** Microseconds of CPU for one record. */
export function microsOf({ cpuS, records }: Measured): number {
  return (cpuS * 1e6) / records
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN
  return (upper + lower) / 2
}
