/**
 * Lists every error code of kafka-delta with its message and whether a retry may help. A test compares
 * `docs/errors.md` with this table.
 */
export const ERROR_CATALOGUE = {
  KD_CONFIG_INVALID: { message: 'The configuration has faults', retryable: false },
  KD_CONTRACT_INVALID: { message: 'The contract cannot be used', retryable: false },
  KD_KAFKA_UNREACHABLE: { message: 'No Kafka broker answered', retryable: true },
  KD_KAFKA_AUTH_FAILED: { message: 'The Kafka brokers refused the login', retryable: false },
  KD_KAFKA_TLS_FAILED: {
    message: 'The connection to the Kafka brokers could not be secured',
    retryable: false,
  },
  KD_KAFKA_FORBIDDEN: { message: 'The Kafka brokers do not allow this', retryable: false },
  KD_KAFKA_REFUSED: { message: 'The Kafka brokers will never accept this request', retryable: false },
  KD_TOPIC_MISSING: { message: 'The Kafka topic does not exist', retryable: false },
  KD_OFFSETS_VANISHED: {
    message: 'Offsets that the table expects next are gone from Kafka',
    retryable: false,
  },
  KD_RECORDS_CORRUPT: {
    message: 'Bytes that Kafka stores are not what was written',
    retryable: false,
  },
  KD_SOURCE_FAILED: { message: 'The Kafka consumer stopped', retryable: true },
  KD_DEAD_LETTERS_FAILED: { message: 'Dead letters could not be written', retryable: true },
  KD_DEAD_LETTER: { message: 'A record could not be converted to a row', retryable: false },
  KD_TOO_MANY_DEAD_LETTERS: { message: 'Too many records became dead letters', retryable: false },
  KD_REGISTRY_FAILED: { message: 'The schema registry did not answer as it should', retryable: true },
  KD_STORE_FAILED: { message: 'The object store refused a request', retryable: false },
  KD_STORE_UNAVAILABLE: { message: 'The object store did not answer', retryable: true },
  KD_STORE_BLOCKED: { message: 'The store takes no such requests at present', retryable: true },
  KD_STORE_NOT_FOUND: { message: 'The object does not exist', retryable: false },
  KD_TABLE_MISSING: { message: 'There is no Delta table here', retryable: false },
  KD_TABLE_REPLACED: {
    message: 'The table was deleted or replaced while the service wrote to it',
    retryable: false,
  },
  KD_TABLE_UNSUPPORTED: { message: 'The table needs a feature that is not supported', retryable: false },
  KD_TABLE_CORRUPT: { message: 'The Delta log cannot be read', retryable: false },
  KD_SCHEMA_MISMATCH: { message: 'The contract does not fit the table', retryable: false },
  KD_SCHEMA_CHANGED: {
    message: 'Messages contain fields that the table has no column for',
    retryable: false,
  },
  KD_COMMIT_CONFLICT: { message: 'Another writer changed what this commit depends on', retryable: false },
  KD_COMMIT_CONTENDED: { message: 'The commit lost every attempt to other writers', retryable: true },
  KD_CHECKPOINT_FAILED: { message: 'A checkpoint could not be written', retryable: true },
  KD_CHECKSUM_FAILED: { message: 'The checksum of a version could not be written', retryable: true },
  KD_PARQUET_FAILED: { message: 'A Parquet file could not be written or read', retryable: false },
  KD_WORKER_FAILED: { message: 'A worker thread ended', retryable: true },
  KD_RECORD_NOT_FITTING: { message: 'A row does not fit the table', retryable: false },
  KD_OPERATOR_INVALID: { message: 'An operator breaks its contract', retryable: false },
  KD_OPERATOR_FAILED: { message: 'Custom code of the topic failed', retryable: false },
  KD_SERVER_FAILED: { message: 'A local server did not start', retryable: false },
  KD_COMMAND_INVALID: { message: 'The command cannot be carried out', retryable: false },
  KD_PREREQUISITE_MISSING: { message: 'A required program is not installed', retryable: false },
} as const

/** Names an error by its code in `ERROR_CATALOGUE`. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE

/** Describes where an error occurred: topic, partition, offset, version, path; never a secret. */
export type ErrorContext = Readonly<
  Record<string, string | number | bigint | boolean | readonly string[] | undefined>
>

/**
 * Reports every failure of kafka-delta: an error code, the expected and the actual state, the place, and whether a retry
 * may help. `detail` is one sentence with the expected and the actual state; `context` names the place.
 */
export class PipelineError extends Error {
  readonly code: ErrorCode
  readonly context: ErrorContext
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    detail: string,
    context: ErrorContext = {},
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(
      `${ERROR_CATALOGUE[code].message}: ${detail}${where(context)}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'PipelineError'
    this.code = code
    this.context = context
    this.retryable = options.retryable ?? ERROR_CATALOGUE[code].retryable
  }
}

/**
 * Returns true for an error that is neither in the catalogue nor from the operating system, such as a `TypeError`:
 * a bug of the program.
 */
export function isUnexpectedError(thrown: unknown): boolean {
  if (thrown instanceof PipelineError) return false
  // Errors of the operating system, such as a full disk, name their system call.
  return !(thrown instanceof Error && 'syscall' in thrown)
}

/**
 * Returns the error with which a chain fails: a `PipelineError` as it is, and any other as KD_OPERATOR_FAILED with that error
 * as cause. `part` names what has thrown it.
 */
export function customErrorOf(thrown: unknown, part: string, context: ErrorContext = {}): PipelineError {
  if (thrown instanceof PipelineError) return thrown
  const name = thrown instanceof Error && thrown.name !== 'Error' ? `${thrown.name}: ` : ''
  const detail = `${part} has thrown ${name}${messageOf(thrown)}`
  return new PipelineError('KD_OPERATOR_FAILED', detail, context, { cause: thrown })
}

/** Returns the message of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function where(context: ErrorContext): string {
  const parts = Object.entries(context)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
