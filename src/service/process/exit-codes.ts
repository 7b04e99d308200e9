import { isUnexpectedError, PipelineError, type ErrorCode } from '../../core/errors.ts'
import { ABRUPT_EXIT } from './exit.ts'

/** Lists the exit codes of the process. */
export const EXIT = {
  /** Success, or stopped on request. */
  ok: 0,
  /** The pipeline or the command failed; running it again does not help by itself. */
  failed: 1,
  /** The command line, the configuration or a contract is invalid, or Kafka refuses this client. */
  usage: 2,
  /** A required program is not installed. */
  prerequisite: 3,
  /** A server did not answer; running the command again may help. */
  unavailable: 4,
  /** An unexpected error: a bug. Committed data stays, and the next start resumes after it. */
  uncaught: ABRUPT_EXIT.uncaught,
} as const

/** Text about exit codes for `--help`; a test compares it with `EXIT`. */
export const EXIT_HELP = `
Exit codes:
  0  success, or stopped on request
  1  the pipeline or the command failed
  2  invalid command line, configuration or contract, or refused by the brokers
  3  a required program is not installed
  4  Kafka or the object store did not answer; running it again may help
  5  an unexpected error: a bug`

const USAGE: readonly ErrorCode[] = [
  'KD_CONFIG_INVALID',
  'KD_CONTRACT_INVALID',
  'KD_SCHEMA_MISMATCH',
  'KD_COMMAND_INVALID',
  'KD_KAFKA_AUTH_FAILED',
  'KD_KAFKA_TLS_FAILED',
  'KD_KAFKA_FORBIDDEN',
  'KD_KAFKA_REFUSED',
]

/** Returns the exit code for an error. */
export function exitCodeOf(thrown: unknown): number {
  if (isUnexpectedError(thrown)) return EXIT.uncaught
  if (!(thrown instanceof PipelineError)) return EXIT.failed
  if (USAGE.includes(thrown.code)) return EXIT.usage
  if (thrown.code === 'KD_PREREQUISITE_MISSING') return EXIT.prerequisite
  return thrown.retryable ? EXIT.unavailable : EXIT.failed
}
