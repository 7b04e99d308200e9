import { messageOf, PipelineError } from '../../core/errors.ts'
import type { ExpiringToken } from './tokens.ts'

/** Configures the login to Amazon MSK with IAM. */
interface MskIam {
  readonly region: string
  /** Role to assume first. */
  readonly roleArn?: string
}

const SESSION_NAME = 'kafka-delta'

/**
 * Creates a token for an Amazon MSK cluster: a signed request that the brokers forward. The signer and its parts of the
 * AWS SDK are loaded on the first call.
 * @throws KD_KAFKA_AUTH_FAILED if there are no credentials, or they may not assume the role
 */
export async function signMskToken({ region, roleArn }: MskIam): Promise<ExpiringToken> {
  try {
    const { generateAuthToken, generateAuthTokenFromRole } = await import('aws-msk-iam-sasl-signer-js')
    const { token, expiryTime } = await (roleArn === undefined
      ? generateAuthToken({ region })
      : generateAuthTokenFromRole({ region, awsRoleArn: roleArn, awsRoleSessionName: SESSION_NAME }))
    return { value: token, expiresAtMs: expiryTime }
  } catch (error) {
    const detail = `expected AWS credentials to sign the login, got: ${messageOf(error)}`
    throw new PipelineError('KD_KAFKA_AUTH_FAILED', detail, { region, roleArn }, { cause: error })
  }
}
