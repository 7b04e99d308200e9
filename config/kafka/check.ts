import { existsSync } from 'node:fs'
import { checkEndpoint, checkTogether, type Report } from '../report.ts'
import type { KafkaConfig, SaslConfig } from './types.ts'

/** Options of the brokers that do not go together. */
export function checkKafka(kafka: KafkaConfig, report: Report): void {
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
  if (kafka.sasl !== undefined) checkSasl(kafka.sasl, report)
}

function checkTls({ ssl, tls }: KafkaConfig, report: Report): void {
  const { insecureSkipVerify, ...files } = tls
  const given = [...Object.keys(files), ...(insecureSkipVerify ? ['insecureSkipVerify'] : [])]
  if (!ssl && given.length > 0) {
    report(
      [`kafka.tls.${given[0] ?? ''}`, 'kafka.ssl'],
      'given, while kafka.ssl is not true, so that nothing is encrypted',
    )
  }
  checkTogether(files, 'kafka.tls', ['certFile', 'keyFile'], report)
  if (tls.keyPassphrase !== undefined && tls.keyFile === undefined)
    report(['kafka.tls.keyPassphrase', 'kafka.tls.keyFile'], 'given, while kafka.tls.keyFile is not')
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const path = tls[name]
    if (path !== undefined && !existsSync(path))
      report([`kafka.tls.${name}`], `there is no such file: ${path}`)
  }
}

const NEEDED: Readonly<Record<SaslConfig['mechanism'], readonly string[]>> = {
  plain: ['username', 'password'],
  'scram-sha-256': ['username', 'password'],
  'scram-sha-512': ['username', 'password'],
  oauthbearer: ['oauth.tokenUrl', 'oauth.clientId', 'oauth.clientSecret'],
  'aws-msk-iam': ['aws.region'],
}

/** Each mechanism has what it needs, and nothing is there that no mechanism takes. */
function checkSasl(sasl: Partial<SaslConfig>, report: Report): void {
  const { mechanism } = sasl
  const given = givenOf(sasl)
  if (mechanism === undefined) {
    if (given.length > 0)
      report(['kafka.sasl.mechanism'], `missing, while kafka.sasl.${given.join(' and ')} is given`)
    return
  }
  const needed = NEEDED[mechanism]
  for (const name of needed.filter((each) => !given.includes(each))) {
    report([`kafka.sasl.${name}`], `missing, while kafka.sasl.mechanism is ${mechanism}`)
  }
  const section = needed[0]?.includes('.') === true ? needed[0].split('.')[0] : undefined
  const stray = given.find((name) => (name.includes('.') ? name.split('.')[0] : undefined) !== section)
  if (stray !== undefined)
    report(
      [`kafka.sasl.${stray}`],
      `given, while kafka.sasl.mechanism is ${mechanism}, which has no use for it`,
    )
  checkEndpoint(sasl.oauth?.tokenUrl, 'kafka.sasl.oauth.tokenUrl', report)
}

/** Names of what is given beside the mechanism, those of sections with a dot. */
function givenOf(sasl: Partial<SaslConfig>): readonly string[] {
  const { oauth, aws } = sasl
  const named = (section: object | undefined, prefix: string): string[] =>
    Object.entries(section ?? {})
      .filter(([, value]) => (typeof value === 'object' ? Object.keys(value as object).length > 0 : true))
      .map(([name]) => prefix + name)
  return [
    ...(['username', 'password'] as const).filter((name) => sasl[name] !== undefined),
    ...named(oauth, 'oauth.'),
    ...named(aws, 'aws.'),
  ]
}
