import {
  IGNORED_PROPERTIES,
  NUMERIC_PROPERTIES,
  REFUSED_PROPERTIES,
  TRANSLATED_PROPERTIES,
} from './librdkafka-properties.ts'

/** Holds PEM texts that must be written to files, since the configuration names files. */
export interface PemTexts {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Holds the options that librdkafka properties translate to. */
interface KafkaSettings {
  /** Options below `kafka` in the configuration. */
  readonly kafka: Readonly<Record<string, unknown>>
  readonly pem: PemTexts
  /** Accepted properties without effect, one sentence each. */
  readonly notes: readonly string[]
}

type Properties = ReadonlyMap<string, string>
type Report = (fault: string) => void

/** Parses `name=value` settings; the last value of a name wins. */
export function parseProperties(settings: readonly string[], report: Report): Properties {
  const properties = new Map<string, string>()
  for (const setting of settings) {
    const split = setting.indexOf('=')
    const name = setting
      .slice(0, split)
      .trim()
      .replace(/^topic\./, '')
    // The value may be a secret, so it is not included in the message.
    if (split <= 0 || name === '')
      report(`-K ${split < 0 ? setting : '=…'}: expected property=value, such as security.protocol=SSL`)
    else properties.set(SYNONYMS[name] ?? name, setting.slice(split + 1).trim())
  }
  return properties
}

const SYNONYMS: Readonly<Record<string, string>> = {
  'metadata.broker.list': 'bootstrap.servers',
  'sasl.mechanism': 'sasl.mechanisms',
  'fetch.message.max.bytes': 'max.partition.fetch.bytes',
}

/**
 * Parses the brokers of `-k`: the default port is 9092, and a protocol before `://` is ignored in favour of
 * `security.protocol`.
 */
export function brokersOf(list: string): readonly string[] {
  return list
    .split(',')
    .map((broker) => broker.trim().replace(/^[a-z_]+:\/\//i, ''))
    .filter((broker) => broker !== '')
    .map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:9092`))
}

/**
 * Translates librdkafka properties to options of this service. Properties without a counterpart are ignored when they
 * only tune, and reported when ignoring them would change which records are read or weaken security.
 */
export function toKafkaSettings(properties: Properties, offsetReset: string, report: Report): KafkaSettings {
  const kafka: Record<string, unknown> = {}
  const notes: string[] = []
  for (const [name, value] of properties) {
    const refused = REFUSED_PROPERTIES[name]
    if (refused !== undefined) {
      const why = refused(value)
      if (why !== undefined) report(`-K ${name}: ${why}`)
    } else if (NUMERIC_PROPERTIES[name] !== undefined) {
      if (/^\d{1,15}$/.test(value)) kafka[NUMERIC_PROPERTIES[name]] = Number(value)
      else report(`-K ${name}: expected a whole number, got ${value}`)
    } else if (IGNORED_PROPERTIES.has(name)) notes.push(`-K ${name} has no effect here`)
    else if (!TRANSLATED_PROPERTIES.has(name)) report(`-K ${name}: unknown property`)
  }
  const clientId = properties.get('client.id')
  if (clientId !== undefined) kafka['clientId'] = clientId
  adjustBounds(kafka)
  for (const [name, option] of [
    ['bootstrap.servers', '-k'],
    ['group.id', '-g'],
  ] as const)
    if (properties.has(name)) notes.push(`-K ${name} has no effect: ${option} takes precedence`)
  const reset = properties.get('auto.offset.reset')
  if (reset !== undefined) checkOffsetReset(reset, offsetReset, notes, report)
  const pem = loginOf(properties, kafka, notes, report)
  return { kafka, pem, notes }
}

/**
 * Adjusts values to the stricter rules of this service: more frequent heartbeats, and a total fetch size that covers
 * a partition's.
 */
function adjustBounds(kafka: Record<string, unknown>): void {
  const session = kafka['sessionTimeoutMs'] as number | undefined
  const heartbeat = (kafka['heartbeatMs'] as number | undefined) ?? HEARTBEAT_MS_DEFAULT
  if (session !== undefined) kafka['heartbeatMs'] = Math.max(1, Math.min(heartbeat, Math.floor(session / 3)))
  else if (3 * heartbeat > SESSION_MS_DEFAULT) kafka['sessionTimeoutMs'] = 3 * heartbeat
  const partition = kafka['fetchBytesPerPartitionMax'] as number | undefined
  const all = kafka['fetchBytesMax'] as number | undefined
  if (partition !== undefined) kafka['fetchBytesMax'] = Math.max(all ?? FETCH_BYTES_DEFAULT, partition)
  else if (all !== undefined && all < PARTITION_BYTES_DEFAULT) kafka['fetchBytesPerPartitionMax'] = all
}

/** Defaults of this service that the given values are compared with. */
const HEARTBEAT_MS_DEFAULT = 3_000
const SESSION_MS_DEFAULT = 30_000
const FETCH_BYTES_DEFAULT = 8_388_608
const PARTITION_BYTES_DEFAULT = 1_048_576

const RESETS: Readonly<Record<string, string>> = {
  smallest: 'earliest',
  earliest: 'earliest',
  beginning: 'earliest',
  largest: 'latest',
  latest: 'latest',
  end: 'latest',
}

function checkOffsetReset(value: string, offsetReset: string, notes: string[], report: Report): void {
  const policy = RESETS[value]
  if (policy === undefined) report(`-K auto.offset.reset: expected earliest or latest, got ${value}`)
  else if (policy !== offsetReset)
    notes.push(`-K auto.offset.reset=${value} has no effect: -o ${offsetReset} takes precedence`)
}

const PROTOCOLS: Readonly<Record<string, { readonly ssl: boolean; readonly sasl: boolean }>> = {
  plaintext: { ssl: false, sasl: false },
  ssl: { ssl: true, sasl: false },
  sasl_plaintext: { ssl: false, sasl: true },
  sasl_ssl: { ssl: true, sasl: true },
}

function loginOf(
  properties: Properties,
  kafka: Record<string, unknown>,
  notes: string[],
  report: Report,
): PemTexts {
  const named = properties.get('security.protocol') ?? 'plaintext'
  const protocol = PROTOCOLS[named.toLowerCase()]
  if (protocol === undefined) {
    report(`-K security.protocol: expected plaintext, ssl, sasl_plaintext or sasl_ssl, got ${named}`)
    return {}
  }
  const unused = [...properties.keys()].filter(
    (name) =>
      TRANSLATED_PROPERTIES.has(name) &&
      ((name.startsWith('ssl.') && !protocol.ssl) || (name.startsWith('sasl.') && !protocol.sasl)),
  )
  for (const name of unused)
    notes.push(`-K ${name} has no effect with security.protocol=${named.toLowerCase()}`)
  if (protocol.sasl) kafka['sasl'] = saslOf(properties, report)
  if (!protocol.ssl) return {}
  kafka['ssl'] = true
  return tlsOf(properties, kafka, report)
}

function saslOf(properties: Properties, report: Report): object {
  const mechanism = (properties.get('sasl.mechanisms') ?? 'GSSAPI').toUpperCase()
  const username = properties.get('sasl.username')
  const password = properties.get('sasl.password')
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
  switch (mechanism) {
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      for (const [name, value] of [
        ['sasl.username', username],
        ['sasl.password', password],
      ] as const)
        if (value === undefined)
          report(
            `-K ${name}: required by sasl.mechanism ${mechanism}; KAFKA_DELTA_INGEST_SCRAM_JSON can provide it`,
          )
      return { mechanism: mechanism.toLowerCase(), ...login }
    case 'OAUTHBEARER':
      return oauthOf(properties, report)
    case 'GSSAPI':
      report('-K sasl.mechanism: GSSAPI (Kerberos), the default with sasl_*, is not supported')
      return {}
    default:
      report(
        `-K sasl.mechanism: expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, got ${mechanism}`,
      )
      return {}
  }
}

const OAUTH: Readonly<Record<string, string>> = {
  'sasl.oauthbearer.token.endpoint.url': 'tokenUrl',
  'sasl.oauthbearer.client.id': 'clientId',
  'sasl.oauthbearer.client.secret': 'clientSecret',
  'sasl.oauthbearer.scope': 'scope',
}

function oauthOf(properties: Properties, report: Report): object {
  const method = properties.get('sasl.oauthbearer.method') ?? 'default'
  if (method !== 'oidc')
    report(`-K sasl.oauthbearer.method: expected oidc, which requests tokens from a server, got ${method}`)
  const oauth: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(OAUTH)) {
    const value = properties.get(name)
    if (value !== undefined) oauth[option] = value
    else if (option !== 'scope' && method === 'oidc')
      report(`-K ${name}: required by sasl.oauthbearer.method oidc`)
  }
  const extensions = properties.get('sasl.oauthbearer.extensions')
  if (extensions !== undefined) {
    const pairs = extensions.split(',').map((pair) => pair.split('='))
    oauth['extensions'] = Object.fromEntries(
      pairs.map(([name = '', ...value]) => [name.trim(), value.join('=')]),
    )
  }
  return { mechanism: 'oauthbearer', oauth }
}

function tlsOf(properties: Properties, kafka: Record<string, unknown>, report: Report): PemTexts {
  const tls: Record<string, unknown> = {}
  const files = {
    caFile: properties.get('ssl.ca.location'),
    certFile: properties.get('ssl.certificate.location'),
    keyFile: properties.get('ssl.key.location'),
    keyPassphrase: properties.get('ssl.key.password'),
  }
  // `probe` makes librdkafka search for the system's certificate authorities; Node.js bundles its own.
  for (const [option, value] of Object.entries(files))
    if (value !== undefined && value !== '' && !(option === 'caFile' && value === 'probe'))
      tls[option] = value
  const pem: Record<string, string> = {}
  for (const [part, file] of [
    ['ca', 'caFile'],
    ['cert', 'certFile'],
    ['key', 'keyFile'],
  ] as const) {
    const property = part === 'cert' ? 'ssl.certificate.pem' : `ssl.${part}.pem`
    const text = properties.get(property)
    if (text === undefined || text === '') continue
    if (tls[file] !== undefined) {
      report(`-K ${property}: given together with a file; only one of them can be given`)
    } else pem[part] = text
  }
  const verifies = (properties.get('enable.ssl.certificate.verification') ?? 'true').toLowerCase() !== 'false'
  if (!verifies) tls['insecureSkipVerify'] = true
  if (Object.keys(tls).length > 0) kafka['tls'] = tls
  return pem
}
