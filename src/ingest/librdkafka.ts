import { ACCEPTED, NUMBERS, REFUSED, TAKEN } from './librdkafka-properties.ts'

/** PEM texts that have to lie in files before the configuration can name them. */
export interface PemTexts {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** What librdkafka properties come to. */
export interface KafkaSettings {
  /** Options below `kafka` of our configuration. */
  readonly kafka: Readonly<Record<string, unknown>>
  readonly pem: PemTexts
  /** What was accepted without an effect, one sentence each. */
  readonly notes: readonly string[]
}

type Properties = ReadonlyMap<string, string>
type Report = (fault: string) => void

/** Properties by their names out of `name=value`; a later one wins. */
export function propertiesOf(settings: readonly string[], report: Report): Properties {
  const properties = new Map<string, string>()
  for (const setting of settings) {
    const split = setting.indexOf('=')
    const name = setting
      .slice(0, split)
      .trim()
      .replace(/^topic\./, '')
    // The value may be a secret, so it is not repeated.
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

/** The brokers of `-k`: a port is 9092 where none is given, and what stands before `://` is left to `security.protocol`. */
export function brokersOf(list: string): readonly string[] {
  return list
    .split(',')
    .map((broker) => broker.trim().replace(/^[a-z_]+:\/\//i, ''))
    .filter((broker) => broker !== '')
    .map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:9092`))
}

/**
 * Options of ours that mean the same as librdkafka properties. Properties without a counterpart are accepted where they only
 * tune, and go to `report` where leaving them out would change what is read, or who may read along.
 */
export function kafkaSettings(properties: Properties, offsetReset: string, report: Report): KafkaSettings {
  const kafka: Record<string, unknown> = {}
  const notes: string[] = []
  for (const [name, value] of properties) {
    const refused = REFUSED[name]
    if (refused !== undefined) {
      const why = refused(value)
      if (why !== undefined) report(`-K ${name}: ${why}`)
    } else if (NUMBERS[name] !== undefined) {
      if (/^\d{1,15}$/.test(value)) kafka[NUMBERS[name]] = Number(value)
      else report(`-K ${name}: expected a whole number, got ${value}`)
    } else if (ACCEPTED.has(name)) notes.push(`-K ${name} has no effect here`)
    else if (!TAKEN.has(name)) report(`-K ${name}: is no property that is known here`)
  }
  const clientId = properties.get('client.id')
  if (clientId !== undefined) kafka['clientId'] = clientId
  boundsOf(kafka)
  for (const [name, option] of [
    ['bootstrap.servers', '-k'],
    ['group.id', '-g'],
  ] as const)
    if (properties.has(name)) notes.push(`-K ${name} has no effect, ${option} counts`)
  const reset = properties.get('auto.offset.reset')
  if (reset !== undefined) offsetResetOf(reset, offsetReset, notes, report)
  const pem = loginOf(properties, kafka, notes, report)
  return { kafka, pem, notes }
}

/** Ours are held to each other more strictly than librdkafka's: heartbeats get more frequent, the whole fetch larger. */
function boundsOf(kafka: Record<string, unknown>): void {
  const session = kafka['sessionTimeoutMs'] as number | undefined
  const heartbeat = (kafka['heartbeatMs'] as number | undefined) ?? HEARTBEAT_MS
  if (session !== undefined) kafka['heartbeatMs'] = Math.max(1, Math.min(heartbeat, Math.floor(session / 3)))
  else if (3 * heartbeat > SESSION_MS) kafka['sessionTimeoutMs'] = 3 * heartbeat
  const partition = kafka['fetchBytesPerPartitionMax'] as number | undefined
  const all = kafka['fetchBytesMax'] as number | undefined
  if (partition !== undefined) kafka['fetchBytesMax'] = Math.max(all ?? FETCH_BYTES, partition)
  else if (all !== undefined && all < PARTITION_BYTES) kafka['fetchBytesPerPartitionMax'] = all
}

/** Defaults of ours that a given value is held against. */
const HEARTBEAT_MS = 3_000
const SESSION_MS = 30_000
const FETCH_BYTES = 8_388_608
const PARTITION_BYTES = 1_048_576

const RESETS: Readonly<Record<string, string>> = {
  smallest: 'earliest',
  earliest: 'earliest',
  beginning: 'earliest',
  largest: 'latest',
  latest: 'latest',
  end: 'latest',
}

function offsetResetOf(value: string, offsetReset: string, notes: string[], report: Report): void {
  const policy = RESETS[value]
  if (policy === undefined) report(`-K auto.offset.reset: expected earliest or latest, got ${value}`)
  else if (policy !== offsetReset)
    notes.push(`-K auto.offset.reset=${value} has no effect, -o ${offsetReset} counts`)
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
      TAKEN.has(name) &&
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
            `-K ${name}: missing, while sasl.mechanism is ${mechanism}; KAFKA_DELTA_INGEST_SCRAM_JSON may hold it`,
          )
      return { mechanism: mechanism.toLowerCase(), ...login }
    case 'OAUTHBEARER':
      return oauthOf(properties, report)
    case 'GSSAPI':
      report('-K sasl.mechanism: GSSAPI (Kerberos), which is the default with sasl_*, is not supported')
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
    report(`-K sasl.oauthbearer.method: expected oidc, the one that asks a server for tokens, got ${method}`)
  const oauth: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(OAUTH)) {
    const value = properties.get(name)
    if (value !== undefined) oauth[option] = value
    else if (option !== 'scope' && method === 'oidc')
      report(`-K ${name}: missing, while sasl.oauthbearer.method is oidc`)
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
  // `probe` lets librdkafka look for the authorities of the system, which Node brings along.
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
      report(`-K ${property}: given, while a file is named too; one of them is enough`)
    } else pem[part] = text
  }
  const verifies = (properties.get('enable.ssl.certificate.verification') ?? 'true').toLowerCase() !== 'false'
  if (!verifies) tls['insecureSkipVerify'] = true
  if (Object.keys(tls).length > 0) kafka['tls'] = tls
  return pem
}
