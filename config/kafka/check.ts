import { existsSync } from 'node:fs'
import { checkEndpoint, checkAllOrNone, type ReportFault } from '../report.ts'
import type { ResolvedValues } from '../option-values.ts'
import type { KAFKA_OPTIONS } from './options.ts'
import type { SaslConfig } from './types.ts'

/** Holds the Kafka options with a login that may have no mechanism. */
type KafkaValues = ResolvedValues<typeof KAFKA_OPTIONS>

/** Reports contradictions among the Kafka options. */
export function checkKafka(kafka: KafkaValues, report: ReportFault): void {
  if (kafka.sessionTimeoutMs < 3 * kafka.heartbeatMs) {
    report(
      ['kafka.sessionTimeoutMs', 'kafka.heartbeatMs'],
      `must be at least three times kafka.heartbeatMs (${3 * kafka.heartbeatMs}): value was ${kafka.sessionTimeoutMs}`,
    )
  }
  if (kafka.fetchBytesPerPartitionMax > kafka.fetchBytesMax) {
    report(
      ['kafka.fetchBytesPerPartitionMax', 'kafka.fetchBytesMax'],
      `must not exceed kafka.fetchBytesMax (${kafka.fetchBytesMax}): value was ${kafka.fetchBytesPerPartitionMax}`,
    )
  }
  const noHostPort = kafka.brokers.find((broker) => !/^[^\s/]+:\d{1,5}$/.test(broker))
  if (noHostPort !== undefined) {
    report(['kafka.brokers'], `must each be host:port: value was ${JSON.stringify(noHostPort)}`)
  }
  if (kafka.brokers.length === 0) report(['kafka.brokers'], 'must name at least one broker')
  checkTls(kafka, report)
  checkSasl(kafka.sasl, report)
}

function checkTls({ ssl, tls }: KafkaValues, report: ReportFault): void {
  const { insecureSkipVerify, ...files } = tls
  const given = [...Object.keys(files), ...(insecureSkipVerify ? ['insecureSkipVerify'] : [])]
  if (!ssl && given.length > 0) {
    report(
      [`kafka.tls.${given[0] ?? ''}`, 'kafka.ssl'],
      'is set, but kafka.ssl is not true, so that connections are not encrypted',
    )
  }
  checkAllOrNone(files, 'kafka.tls', ['certFile', 'keyFile'], report)
  if (tls.keyPassphrase !== undefined && tls.keyFile === undefined)
    report(['kafka.tls.keyPassphrase', 'kafka.tls.keyFile'], 'is set, but kafka.tls.keyFile is not')
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const path = tls[name]
    if (path !== undefined && !existsSync(path)) report([`kafka.tls.${name}`], `does not exist: ${path}`)
  }
}

const REQUIRED_OPTIONS: Readonly<Record<SaslConfig['mechanism'], readonly string[]>> = {
  plain: ['username', 'password'],
  'scram-sha-256': ['username', 'password'],
  'scram-sha-512': ['username', 'password'],
  oauthbearer: ['oauth.tokenUrl', 'oauth.clientId', 'oauth.clientSecret'],
  'aws-msk-iam': ['aws.region'],
}

/** Reports options that the login mechanism requires and that are not set, and options that it does not use. */
function checkSasl(sasl: KafkaValues['sasl'], report: ReportFault): void {
  const { mechanism } = sasl
  const given = setOptionNamesOf(sasl)
  if (mechanism === undefined) {
    if (given.length > 0)
      report(['kafka.sasl.mechanism'], `is required because kafka.sasl.${given.join(' and ')} is set`)
    return
  }
  const needed = REQUIRED_OPTIONS[mechanism]
  for (const name of needed.filter((each) => !given.includes(each))) {
    report([`kafka.sasl.${name}`], `is required by kafka.sasl.mechanism ${mechanism}`)
  }
  const section = needed[0]?.includes('.') === true ? needed[0].split('.')[0] : undefined
  const stray = given.find((name) => (name.includes('.') ? name.split('.')[0] : undefined) !== section)
  if (stray !== undefined)
    report([`kafka.sasl.${stray}`], `is set, but kafka.sasl.mechanism ${mechanism} does not use it`)
  checkEndpoint(sasl.oauth.tokenUrl, 'kafka.sasl.oauth.tokenUrl', report)
}

/** Returns the names of the login options that are set besides the mechanism, those in sections with a dot. */
function setOptionNamesOf(sasl: KafkaValues['sasl']): readonly string[] {
  const { oauth, aws } = sasl
  const named = (section: object, prefix: string): string[] =>
    Object.entries(section)
      .filter(([, value]) => (typeof value === 'object' ? Object.keys(value as object).length > 0 : true))
      .map(([name]) => prefix + name)
  return [
    ...(['username', 'password'] as const).filter((name) => sasl[name] !== undefined),
    ...named(oauth, 'oauth.'),
    ...named(aws, 'aws.'),
  ]
}
