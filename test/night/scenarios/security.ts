import kafkajs from 'kafkajs'
import { ALICE } from '../../support/servers/secure-kafka.ts'
import type { Scenario } from '../support/scenario.ts'

const LOGIN = { mechanism: 'scram-sha-256', username: ALICE.username, password: ALICE.password }

/** Logins, permissions and certificates that are wrong. */
export const SECURITY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'acl-denied',
    fault: 'The login may not join the group',
    does: 'the topic fails at once, and a process without other topics ends with exit code 2',
    remedy: 'grant the permission that the message names',
    code: 'KD_KAFKA_FORBIDDEN',
    prepare: async (night) => {
      const { server } = await night.secure()
      const orders = await night.topic({ brokers: server.brokers })
      const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
      await night.asAdmin(async (admin) => {
        const entry = {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: orders.topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: `User:${ALICE.username}`,
          host: '*',
          permissionType: AclPermissionTypes.ALLOW,
        }
        const operations = [AclOperationTypes.READ, AclOperationTypes.DESCRIBE]
        await admin.createAcls({ acl: operations.map((operation) => ({ ...entry, operation })) })
      }, server.brokers)
      return {
        config: await night.config(
          { orders: orders.entry() },
          { kafka: { brokers: [server.brokerOf('SCRAM')], sasl: LOGIN } },
        ),
        said: { lines: [{ level: 'error', text: /group/i, code: 'KD_KAFKA_FORBIDDEN' }] },
        exit: 2,
      }
    },
  },
  {
    name: 'login-wrong',
    fault: 'The password for the brokers is wrong',
    does: 'ends at once with exit code 2',
    remedy: 'correct `kafka.sasl`',
    code: 'KD_KAFKA_AUTH_FAILED',
    prepare: async (night) => {
      const { server } = await night.secure()
      const orders = await night.topic({ brokers: server.brokers })
      return {
        config: await night.config(
          { orders: orders.entry() },
          { kafka: { brokers: [server.brokerOf('SCRAM')], sasl: { ...LOGIN, password: 'wrong' } } },
        ),
        said: { lines: [{ level: 'error', text: /login|authenticat/i, code: 'KD_KAFKA_AUTH_FAILED' }] },
        exit: 2,
      }
    },
  },
  {
    name: 'certificate-expired',
    fault: 'The certificate of the brokers has expired',
    does: 'ends at once with exit code 2',
    remedy: 'renew the certificate of the brokers',
    code: 'KD_KAFKA_TLS_FAILED',
    prepare: async (night) => {
      const { server, caFile } = await night.secure()
      const orders = await night.topic({ brokers: server.brokers })
      return {
        config: await night.config(
          { orders: orders.entry() },
          { kafka: { brokers: [server.brokerOf('EXPIRED')], ssl: true, tls: { caFile } } },
        ),
        said: { lines: [{ level: 'error', text: /expired/i, code: 'KD_KAFKA_TLS_FAILED' }] },
        exit: 2,
      }
    },
  },
]
