import { PipelineError, type ErrorCode } from '../core/errors.ts'
import { ABRUPT_EXIT } from '../service/process/exit.ts'

/** What the process says to whoever started it. */
export const EXIT = {
  /** Done, or stopped as asked. */
  ok: 0,
  /** The pipeline or the command failed, and running it again will not help by itself. */
  failed: 1,
  /** The command line, the configuration or a contract is at fault, or Kafka refuses this client. */
  usage: 2,
  /** A program that is needed is not installed. */
  prerequisite: 3,
  /** A server did not answer; running the command again may help. */
  unavailable: 4,
  /** Something was thrown that nobody expected: a bug. What was committed stays, the next start resumes there. */
  uncaught: ABRUPT_EXIT.uncaught,
} as const

/** Shown by `--help` and held to `EXIT` by a test. */
export const EXIT_HELP = `
Exit codes:
  0  done, or stopped as asked
  1  the pipeline or the command failed
  2  command line, configuration or contract at fault, or refused by the brokers
  3  a program that is needed is not installed
  4  Kafka or the object store did not answer; running it again may help
  5  an error that nobody expected: a bug`

const USAGE: readonly ErrorCode[] = [
  'KD_CONFIG_INVALID',
  'KD_CONTRACT_INVALID',
  'KD_SCHEMA_MISMATCH',
  'KD_COMMAND_INVALID',
  'KD_KAFKA_AUTH_FAILED',
  'KD_KAFKA_TLS_FAILED',
  'KD_KAFKA_FORBIDDEN',
]

/** The exit code for something that was thrown. */
export function exitCodeOf(thrown: unknown): number {
  if (!(thrown instanceof PipelineError)) return EXIT.failed
  if (USAGE.includes(thrown.code)) return EXIT.usage
  if (thrown.code === 'KD_PREREQUISITE_MISSING') return EXIT.prerequisite
  return thrown.retryable ? EXIT.unavailable : EXIT.failed
}
