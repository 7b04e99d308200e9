import { PipelineError } from '../core/errors.ts'

/** Returns the error that lists faults of the configuration, each prefixed with the place of its topic. */
export function invalidConfigError(faults: readonly string[], prefix: string): PipelineError {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  return new PipelineError(
    'KD_CONFIG_INVALID',
    [count, ...faults.map((fault) => `  ${prefix}${fault}`)].join('\n'),
  )
}
