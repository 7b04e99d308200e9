import type { Config } from '../../../config/types.ts'
import type { Counts } from '../../core/batch.ts'
import type { OperatorsInput } from '../operators/define.ts'
import { exitCodeOf } from './exit-codes.ts'
import { logFailure, runServiceOrThrow } from './run.ts'

/** Describes how a program runs the service. */
export interface RunServiceOptions {
  /** With `latest` the service ends at the end offsets that the partitions have at the start; default `stopped`. */
  readonly until?: 'stopped' | 'latest'
  /**
   * Code for the rows of topics by the name of their entry in `topics`; it takes the place of the option `operators`. The code
   * of an entry with a list or a pattern runs for each of its topics.
   */
  readonly operators?: Readonly<Record<string, OperatorsInput>>
  /** Aborting it shuts down gracefully, as SIGTERM does. */
  readonly signal?: AbortSignal
  /** Called with the counts of each commit. */
  readonly onCommit?: (counts: Counts) => void
}

/**
 * Runs all topics of a configuration as the command `kafka-delta run` does: with supervision, circuits, endpoints, metrics,
 * traces and signals. Resolves to the exit code of the process once all topics have ended; the log, which is standard error,
 * says why. Never rejects.
 */
export async function runService(config: Config, options: RunServiceOptions = {}): Promise<number> {
  const { until = 'stopped', ...rest } = options
  try {
    return await runServiceOrThrow(config, { until, ...rest })
  } catch (thrown) {
    logFailure(config, thrown)
    return exitCodeOf(thrown)
  }
}
