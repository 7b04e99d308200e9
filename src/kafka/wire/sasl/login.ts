import { randomBytes } from 'node:crypto'
import { messageOf, PipelineError } from '../../../core/errors.ts'
import { BROKER_ERRORS, errorNameOf } from '../error-codes.ts'
import { ScramClient } from './scram.ts'

/** Holds a bearer token and its SASL extensions (KIP-342). */
interface SaslToken {
  readonly value: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** Describes a login with a password: PLAIN (RFC 4616) or SCRAM (RFC 5802, RFC 7677). */
export interface PasswordLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/**
 * Describes a login with a token: OAUTHBEARER (RFC 7628), also used for IAM of Amazon MSK. `token` is called for every
 * login.
 */
interface BearerLogin {
  readonly token: () => Promise<SaslToken>
}

/** Describes a SASL login. */
export type SaslLogin = PasswordLogin | BearerLogin

/** Sends the requests of a login to a broker and returns its responses. */
export interface SaslTransport {
  /** Address of the broker as `host:port`, for error messages. */
  readonly address: string
  handshake(
    mechanism: string,
  ): Promise<{ readonly errorCode: number; readonly mechanisms: readonly string[] }>
  authenticate(authBytes: Uint8Array): Promise<SaslResponse>
}

/** Holds the response of a broker to one message of a login. */
export interface SaslResponse {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: Uint8Array
  /** Lifetime of the session in milliseconds; 0 if it does not expire (KIP-368). */
  readonly sessionLifetimeMs: bigint
}

const MESSAGE_CHARACTERS_MAX = 300
const PASSWORD_REMEDY = 'check user, password and mechanism in kafka.sasl'
const TOKEN_REMEDY = 'check client, scope and audience of the token in kafka.sasl'
/** Separates the parts of an OAUTHBEARER message. Sent alone, it is the client's response to a refusal (RFC 7628). */
const SEPARATOR = '\u0001'

/**
 * Logs in to a broker; resolves to the lifetime of the session in milliseconds, `undefined` if it does not expire.
 * Rethrows errors of `token`.
 * @throws KD_KAFKA_AUTH_FAILED if the broker refuses the login; the message contains no secrets
 */
export async function logIn(login: SaslLogin, transport: SaslTransport): Promise<number | undefined> {
  const mechanism = 'token' in login ? 'OAUTHBEARER' : login.mechanism.toUpperCase()
  const { errorCode, mechanisms } = await transport.handshake(mechanism)
  if (errorCode !== 0) throw mechanismRefusedError(transport.address, mechanism, errorCode, mechanisms)
  const last = await ('token' in login
    ? loginWithToken(login, transport)
    : loginWithPassword(login, transport))
  const lifetimeMs = Number(last.sessionLifetimeMs)
  return lifetimeMs > 0 ? lifetimeMs : undefined
}

async function loginWithPassword(login: PasswordLogin, transport: SaslTransport): Promise<SaslResponse> {
  const { mechanism, username, password } = login
  const send = async (text: string): Promise<SaslResponse> => {
    const response = await transport.authenticate(Buffer.from(text))
    if (response.errorCode !== 0)
      throw loginRefusedError(transport.address, response, [password], PASSWORD_REMEDY)
    return response
  }
  if (mechanism === 'plain') return send(`\0${username}\0${password}`)
  const client = new ScramClient(
    { hash: mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', username, password },
    randomBytes(24).toString('base64url'),
  )
  try {
    const first = await send(client.clientFirst())
    const last = await send(await client.clientFinal(Buffer.from(first.authBytes).toString()))
    client.verifyServerFinal(Buffer.from(last.authBytes).toString())
    return last
  } catch (error) {
    if (error instanceof PipelineError) throw error
    const detail = `expected a SCRAM exchange, got: ${withoutSecrets(messageOf(error), [password])}`
    throw new PipelineError('KD_KAFKA_AUTH_FAILED', detail, { broker: transport.address })
  }
}

async function loginWithToken({ token }: BearerLogin, transport: SaslTransport): Promise<SaslResponse> {
  const { value, extensions = {} } = await token()
  const pairs = Object.entries(extensions).map(([name, text]) => `${name}=${text}${SEPARATOR}`)
  const clientMessage = `n,,${SEPARATOR}auth=Bearer ${value}${SEPARATOR}${pairs.join('')}${SEPARATOR}`
  const secrets = [value]
  const response = await transport.authenticate(Buffer.from(clientMessage))
  if (response.errorCode !== 0) throw loginRefusedError(transport.address, response, secrets, TOKEN_REMEDY)
  if (response.authBytes.length === 0) return response
  // A refused token is reported without an error code. The broker sends its final response after an acknowledgement.
  const reason = Buffer.from(response.authBytes).toString()
  const final = await transport.authenticate(Buffer.from(SEPARATOR))
  const errorMessage = [reason, final.errorMessage].filter((text) => text !== null && text !== '').join(' ')
  const errorCode = final.errorCode === 0 ? BROKER_ERRORS.SASL_AUTHENTICATION_FAILED.code : final.errorCode
  throw loginRefusedError(transport.address, { errorCode, errorMessage }, secrets, TOKEN_REMEDY)
}

function loginRefusedError(
  address: string,
  { errorCode, errorMessage }: Pick<SaslResponse, 'errorCode' | 'errorMessage'>,
  secrets: readonly string[],
  remedy: string,
): PipelineError {
  const message = withoutSecrets(errorMessage ?? '', secrets).slice(0, MESSAGE_CHARACTERS_MAX)
  const detail = `expected a successful login, got: ${errorNameOf(errorCode)} ${message}`.trimEnd()
  return new PipelineError('KD_KAFKA_AUTH_FAILED', `${detail}; ${remedy}`, { broker: address })
}

function mechanismRefusedError(
  address: string,
  mechanism: string,
  errorCode: number,
  mechanisms: readonly string[],
): PipelineError {
  const supported = mechanisms.length === 0 ? 'none' : mechanisms.slice(0, 10).join(', ')
  const detail = `expected a broker that supports the mechanism ${mechanism}, got: ${errorNameOf(errorCode)}; supported: ${supported.slice(0, MESSAGE_CHARACTERS_MAX)}; ${
    errorCode === BROKER_ERRORS.ILLEGAL_SASL_STATE.code
      ? 'this listener expects no login: remove kafka.sasl or use another port'
      : 'set kafka.sasl.mechanism to a supported one'
  }`
  return new PipelineError('KD_KAFKA_AUTH_FAILED', detail, { broker: address })
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
