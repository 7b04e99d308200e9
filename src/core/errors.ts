/**
 * The error catalogue: every way in which kafka-delta can fail, with its message and whether a retry helps.
 * `docs/errors.md` is held to this table by a test.
 */
export const CATALOGUE = {
  KD_CONFIG_INVALID: { message: 'The configuration has faults', retryable: false },
  KD_CONTRACT_INVALID: { message: 'The contract cannot be used', retryable: false },
  KD_KAFKA_UNREACHABLE: { message: 'No Kafka broker answered', retryable: true },
  KD_KAFKA_AUTH_FAILED: { message: 'The Kafka brokers refused the login', retryable: false },
  KD_KAFKA_TLS_FAILED: {
    message: 'The connection to the Kafka brokers could not be secured',
    retryable: false,
  },
  KD_KAFKA_FORBIDDEN: { message: 'The Kafka brokers do not allow this', retryable: false },
  KD_TOPIC_MISSING: { message: 'The Kafka topic does not exist', retryable: false },
  KD_OFFSETS_VANISHED: {
    message: 'Offsets that the table expects next are gone from Kafka',
    retryable: false,
  },
  KD_SOURCE_FAILED: { message: 'The Kafka consumer stopped', retryable: true },
  KD_DEAD_LETTERS_FAILED: { message: 'Dead letters could not be written', retryable: true },
  KD_DEAD_LETTER: { message: 'No row can be made of a record', retryable: false },
  KD_TOO_MANY_DEAD_LETTERS: { message: 'Too many records became dead letters', retryable: false },
  KD_REGISTRY_FAILED: { message: 'The schema registry did not answer as it should', retryable: true },
  KD_STORE_FAILED: { message: 'The object store refused a request', retryable: false },
  KD_STORE_UNAVAILABLE: { message: 'The object store did not answer', retryable: true },
  KD_STORE_NOT_FOUND: { message: 'The object does not exist', retryable: false },
  KD_TABLE_MISSING: { message: 'There is no Delta table here', retryable: false },
  KD_TABLE_UNSUPPORTED: { message: 'The table needs a feature that is not supported', retryable: false },
  KD_TABLE_CORRUPT: { message: 'The Delta log cannot be read', retryable: false },
  KD_SCHEMA_MISMATCH: { message: 'The contract does not fit the table', retryable: false },
  KD_SCHEMA_CHANGED: { message: 'Messages have columns that nobody knows', retryable: false },
  KD_COMMIT_CONFLICT: { message: 'Another writer changed what this commit depends on', retryable: false },
  KD_COMMIT_CONTENDED: { message: 'The commit lost every attempt to other writers', retryable: true },
  KD_CHECKPOINT_FAILED: { message: 'A checkpoint could not be written', retryable: true },
  KD_CHECKSUM_FAILED: { message: 'The checksum of a version could not be written', retryable: true },
  KD_PARQUET_FAILED: { message: 'A Parquet file could not be written or read', retryable: false },
  KD_RECORD_NOT_FITTING: { message: 'A row does not fit the table', retryable: false },
  KD_SERVER_FAILED: { message: 'A local server did not start', retryable: false },
  KD_COMMAND_INVALID: { message: 'The command cannot be carried out', retryable: false },
  KD_PREREQUISITE_MISSING: { message: 'A program that is needed is not installed', retryable: false },
} as const

/** A code of the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE

/** Where and about what an error was: topic, partition, offset, version, path; never a secret. */
export type ErrorContext = Readonly<
  Record<string, string | number | bigint | boolean | readonly string[] | undefined>
>

/**
 * The one error of kafka-delta: a code of the catalogue, what was expected and got, where, and whether a retry helps.
 * `detail` is one sentence that says what was expected and what was got; `context` says where.
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
      `${CATALOGUE[code].message}: ${detail}${where(context)}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'PipelineError'
    this.code = code
    this.context = context
    this.retryable = options.retryable ?? CATALOGUE[code].retryable
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function where(context: ErrorContext): string {
  const parts = Object.entries(context)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
