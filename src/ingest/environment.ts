type Env = Readonly<Record<string, string | undefined>>

/** Variables passed unchanged to the stores, the schema registry and the log. */
const PASSED_VARIABLES = [
  /^AWS_/,
  /^AZURE_/,
  /^GOOGLE_/,
  /^STORAGE_EMULATOR_HOST$/,
  /^DELTA_DYNAMO_/,
  /^SCHEMA_REGISTRY_(?:USERNAME|PASSWORD)(?:_FILE)?$/,
  /^LOG_LEVEL$/,
  /^KAFKA_DELTA_SHUTDOWN_DEADLINE_MS$/,
]

/** Alternative names that delta-rs accepts: the name itself takes precedence, then the first alias that is set. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  AWS_S3_ENDPOINT: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT'],
  AWS_ENDPOINT_URL_DYNAMODB: ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT'],
  AWS_REGION: ['AWS_DEFAULT_REGION'],
  AZURE_STORAGE_ACCOUNT_KEY: ['AZURE_STORAGE_ACCESS_KEY', 'AZURE_STORAGE_MASTER_KEY'],
  AZURE_STORAGE_SAS_TOKEN: ['AZURE_STORAGE_SAS_KEY'],
}

const LEVELS: Readonly<Record<string, string>> = {
  off: 'silent',
  error: 'error',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
  trace: 'trace',
}

/**
 * Translates the environment variables of delta-rs and kafka-delta-ingest to those of this service. Variables of this
 * service that name brokers or topics are left out, because the command line sets them.
 */
export function toStoreEnvironment(env: Env): Record<string, string> {
  const translated: Record<string, string> = {}
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && value !== '' && PASSED_VARIABLES.some((form) => form.test(name)))
      translated[name] = value
  for (const [name, others] of Object.entries(ALIASES)) {
    const other = others.map((alias) => env[alias]).find((value) => value !== undefined && value !== '')
    if (translated[name] === undefined && other !== undefined) translated[name] = other
  }
  if (translated['AWS_S3_FORCE_PATH_STYLE'] === undefined) {
    const hosted = (env['AWS_VIRTUAL_HOSTED_STYLE_REQUEST'] ?? '').toLowerCase()
    // delta-rs uses path-style requests with a custom endpoint unless this variable says otherwise.
    if (translated['AWS_S3_ENDPOINT'] !== undefined)
      translated['AWS_S3_FORCE_PATH_STYLE'] = hosted === 'true' || hosted === '1' ? 'false' : 'true'
  }
  const level = LEVELS[(env['RUST_LOG'] ?? '').toLowerCase()]
  if (translated['LOG_LEVEL'] === undefined && level !== undefined) translated['LOG_LEVEL'] = level
  return translated
}

/** Translates a table location of delta-rs to a URI that the stores of this service accept. */
export function toTableUri(location: string): string {
  const adls = /^(?:adls2|adl|adls):\/\/([^/@]+)\/([^/]+)(?:\/(.*))?$/i.exec(location)
  if (adls === null) return location
  const [, account = '', container = '', path = ''] = adls
  return `abfss://${container}@${account}.dfs.core.windows.net/${path}`
}
