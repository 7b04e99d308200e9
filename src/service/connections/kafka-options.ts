import type { KafkaConfig, SaslConfig } from '../../../config/kafka/types.ts'
import type { KafkaOptions, Log } from '../../kafka/client/client.ts'
import { signMskToken } from '../../kafka/client/msk-iam.ts'
import { tlsFromFiles } from '../../kafka/client/tls-files.ts'
import { requestToken, cacheToken } from '../../kafka/client/tokens.ts'

/** TLS options and login by configuration, so that all connections of a process share one token. */
const LOGINS = new WeakMap<KafkaConfig, Pick<KafkaOptions, 'ssl' | 'sasl'>>()

/**
 * Returns the client options that the configuration describes.
 * @throws KD_CONFIG_INVALID when the certificates cannot be used
 */
export function kafkaOptionsOf(kafka: KafkaConfig, log: Log): KafkaOptions {
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
      'kafka.tls.insecureSkipVerify is set: certificates are not verified, so an attacker on the network can read and change records',
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
        tokenUrl: requiredValue(oauth.tokenUrl),
        clientId: requiredValue(oauth.clientId),
        clientSecret: requiredValue(oauth.clientSecret),
        ...(scope === undefined ? {} : { scope }),
        extensions,
      }
      return { token: cacheToken(() => requestToken(credentials)) }
    }
    case 'aws-msk-iam': {
      const role = aws.roleArn === undefined ? {} : { roleArn: aws.roleArn }
      return { token: cacheToken(() => signMskToken({ region: requiredValue(aws.region), ...role })) }
    }
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, username: requiredValue(username), password: requiredValue(password) }
  }
}

/** Returns a value whose presence the configuration loader has checked. */
function requiredValue(value: string | undefined): string {
  if (value === undefined) throw new Error('Broken invariant: a login has what its mechanism needs')
  return value
}
