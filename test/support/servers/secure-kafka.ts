import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka, type KafkaListener, type KafkaServer } from '../../../src/local-servers/kafka.ts'
import { makeAuthority, type Certificate } from './certificates.ts'

/** A user with a password of its own in every run. */
export const ALICE = { username: 'alice', password: `pw-${randomUUID()}` }
const AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const LOGIN_MODULES = 'org.apache.kafka.common.security'

/** A broker with a listener of each kind, with access lists; whoever comes by its plain listener may do everything. */
export interface SecureKafka {
  readonly server: KafkaServer
  /** The authority of the brokers' and the clients' certificates. */
  readonly caFile: string
  /** Nobody has signed anything of ours with it. */
  readonly otherCaFile: string
  /** User `CN=client`. */
  readonly client: Certificate
  readonly expiredClient: Certificate
  stop(): Promise<void>
}

/**
 * Starts it. Listeners: TLS, MTLS, EXPIRED (its certificate), OTHERNAME (that of another host), PLAIN (with TLS), SCRAM
 * (without), OAUTH (takes unsigned tokens).
 */
export async function startSecureKafka(): Promise<SecureKafka> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-secure-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const [authority, other] = [await makeAuthority(folder, 'ours'), await makeAuthority(folder, 'other')]
    const [broker, expired, elsewhere, client, expiredClient] = await Promise.all([
      authority.sign('broker'),
      authority.sign('expired', { days: -1 }),
      authority.sign('elsewhere', { names: 'DNS:elsewhere.example' }),
      authority.sign('client'),
      authority.sign('client-expired', { days: -1 }),
    ])
    const server = await startKafka({
      listeners: listenersOf({ caFile: authority.caFile, broker, expired, elsewhere }),
      scramUsers: [
        { mechanism: 'SCRAM-SHA-256', name: ALICE.username, password: ALICE.password },
        { mechanism: 'SCRAM-SHA-512', name: ALICE.username, password: ALICE.password },
      ],
      config: {
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
        'authorizer.class.name': AUTHORIZER,
        'super.users': 'User:ANONYMOUS',
      },
    })
    return {
      server,
      caFile: authority.caFile,
      otherCaFile: other.caFile,
      client,
      expiredClient,
      stop: async () => {
        await server.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Certificates {
  readonly caFile: string
  readonly broker: Certificate
  readonly expired: Certificate
  readonly elsewhere: Certificate
}

function listenersOf({ caFile, broker, expired, elsewhere }: Certificates): readonly KafkaListener[] {
  const tls = ({ bothFile }: Certificate): Record<string, string> => ({
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': bothFile,
  })
  const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': caFile }
  const { username, password } = ALICE
  const scram = `${LOGIN_MODULES}.scram.ScramLoginModule required;`
  return [
    { name: 'TLS', protocol: 'SSL', config: tls(broker) },
    { name: 'MTLS', protocol: 'SSL', config: { ...tls(broker), ...trust, 'ssl.client.auth': 'required' } },
    { name: 'EXPIRED', protocol: 'SSL', config: tls(expired) },
    { name: 'OTHERNAME', protocol: 'SSL', config: tls(elsewhere) },
    {
      name: 'PLAIN',
      protocol: 'SASL_SSL',
      config: {
        ...tls(broker),
        'sasl.enabled.mechanisms': 'PLAIN',
        'plain.sasl.jaas.config': `${LOGIN_MODULES}.plain.PlainLoginModule required user_${username}="${password}";`,
      },
    },
    {
      name: 'SCRAM',
      protocol: 'SASL_PLAINTEXT',
      config: {
        'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512',
        'scram-sha-256.sasl.jaas.config': scram,
        'scram-sha-512.sasl.jaas.config': scram,
      },
    },
    {
      name: 'OAUTH',
      protocol: 'SASL_PLAINTEXT',
      config: {
        'sasl.enabled.mechanisms': 'OAUTHBEARER',
        'oauthbearer.sasl.jaas.config': `${LOGIN_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
      },
    },
  ]
}
