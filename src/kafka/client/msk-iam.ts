import { messageOf, PipelineError } from '../../core/errors.ts'
import type { ExpiringToken } from './tokens.ts'

/** How AWS is asked who we are. */
export interface MskIam {
  readonly region: string
  /** A role to take on first. */
  readonly roleArn?: string
}

const SESSION_NAME = 'kafka-delta'

/**
 * A token for a cluster of Amazon MSK: a signed request that its brokers send on. The signer and what it needs of the AWS
 * SDK are loaded now and not before.
 * @throws KD_KAFKA_AUTH_FAILED when there are no credentials, or none for the role
 */
export async function mskToken({ region, roleArn }: MskIam): Promise<ExpiringToken> {
  try {
    const { generateAuthToken, generateAuthTokenFromRole } = await import('aws-msk-iam-sasl-signer-js')
    const { token, expiryTime } = await (roleArn === undefined
      ? generateAuthToken({ region })
      : generateAuthTokenFromRole({ region, awsRoleArn: roleArn, awsRoleSessionName: SESSION_NAME }))
    return { value: token, expiresAtMs: expiryTime }
  } catch (error) {
    const detail = `expected credentials of AWS to sign the login with, got: ${messageOf(error)}`
    throw new PipelineError('KD_KAFKA_AUTH_FAILED', detail, { region, roleArn }, { cause: error })
  }
}
