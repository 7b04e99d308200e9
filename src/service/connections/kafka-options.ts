import type { KafkaConfig, SaslConfig } from '../../../config/kafka/types.ts'
import type { KafkaOptions, Log } from '../../kafka/client/client.ts'
import { mskToken } from '../../kafka/client/msk-iam.ts'
import { tlsFromFiles } from '../../kafka/client/tls-files.ts'
import { askToken, keptToken } from '../../kafka/client/tokens.ts'

/** Certificates and login, once for a configuration: all connections of a process share a token. */
const LOGINS = new WeakMap<KafkaConfig, Pick<KafkaOptions, 'ssl' | 'sasl'>>()

/**
 * How to reach Kafka, by the configuration.
 * @throws KD_CONFIG_INVALID when certificates cannot be used.
 */
export function kafkaOptions(kafka: KafkaConfig, log: Log): KafkaOptions {
  let login = LOGINS.get(kafka)
  if (login === undefined) {
    login = securedBy(kafka, log)
    LOGINS.set(kafka, login)
  }
  const { brokers, clientId, connectTimeoutMs } = kafka
  return { brokers, clientId, ...login, reachTimeoutMs: connectTimeoutMs, log }
}

function securedBy({ ssl, tls, sasl }: KafkaConfig, log: Log): Pick<KafkaOptions, 'ssl' | 'sasl'> {
  if (tls.insecureSkipVerify) {
    log.warn(
      {},
      'kafka.tls.insecureSkipVerify is set: whoever is in between can read along and change records',
    )
  }
  return {
    ...(ssl ? { ssl: tlsFromFiles(tls) } : {}),
    ...(sasl === undefined ? {} : { sasl: loginOf(sasl) }),
  }
}

function loginOf({
  mechanism,
  username,
  password,
  oauth,
  aws,
}: SaslConfig): NonNullable<KafkaOptions['sasl']> {
  switch (mechanism) {
    case 'oauthbearer': {
      const { scope, extensions } = oauth
      const credentials = {
        tokenUrl: given(oauth.tokenUrl),
        clientId: given(oauth.clientId),
        clientSecret: given(oauth.clientSecret),
        ...(scope === undefined ? {} : { scope }),
        extensions,
      }
      return { token: keptToken(() => askToken(credentials)) }
    }
    case 'aws-msk-iam': {
      const role = aws.roleArn === undefined ? {} : { roleArn: aws.roleArn }
      return { token: keptToken(() => mskToken({ region: given(aws.region), ...role })) }
    }
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, username: given(username), password: given(password) }
  }
}

/** Checked where the configuration is loaded. */
function given(value: string | undefined): string {
  if (value === undefined) throw new Error('Broken invariant: a login has what its mechanism needs')
  return value
}
