type Env = Readonly<Record<string, string | undefined>>

/** Variables that go to the stores, the registry and the log as they are. */
const PASSED = [
  /^AWS_/,
  /^AZURE_/,
  /^GOOGLE_/,
  /^STORAGE_EMULATOR_HOST$/,
  /^DELTA_DYNAMO_/,
  /^SCHEMA_REGISTRY_(?:USERNAME|PASSWORD)(?:_FILE)?$/,
  /^LOG_LEVEL$/,
  /^KAFKA_DELTA_SHUTDOWN_DEADLINE_MS$/,
]

/** Other names of the same thing that delta-rs knows: the first one that is set counts, after the name itself. */
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
 * The variables that our own configuration takes, made from those that delta-rs and its programs take. Variables that
 * name brokers or topics of ours are left out: the options of the command speak for them.
 */
export function storeEnvironment(env: Env): Record<string, string> {
  const ours: Record<string, string> = {}
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && value !== '' && PASSED.some((form) => form.test(name))) ours[name] = value
  for (const [name, others] of Object.entries(ALIASES)) {
    const other = others.map((alias) => env[alias]).find((value) => value !== undefined && value !== '')
    if (ours[name] === undefined && other !== undefined) ours[name] = other
  }
  if (ours['AWS_S3_FORCE_PATH_STYLE'] === undefined) {
    const hosted = (env['AWS_VIRTUAL_HOSTED_STYLE_REQUEST'] ?? '').toLowerCase()
    // Buckets go into the path there unless this asks otherwise; AWS itself is asked in its own way.
    if (ours['AWS_S3_ENDPOINT'] !== undefined)
      ours['AWS_S3_FORCE_PATH_STYLE'] = hosted === 'true' || hosted === '1' ? 'false' : 'true'
  }
  const level = LEVELS[(env['RUST_LOG'] ?? '').toLowerCase()]
  if (ours['LOG_LEVEL'] === undefined && level !== undefined) ours['LOG_LEVEL'] = level
  return ours
}

/** A table location as delta-rs takes it, as a URI that our stores know. */
export function tableUri(location: string): string {
  const adls = /^(?:adls2|adl|adls):\/\/([^/@]+)\/([^/]+)(?:\/(.*))?$/i.exec(location)
  if (adls === null) return location
  const [, account = '', container = '', path = ''] = adls
  return `abfss://${container}@${account}.dfs.core.windows.net/${path}`
}
