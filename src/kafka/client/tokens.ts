import { type Clock, systemClock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { BearerToken } from './token-login.ts'

/** Holds a token and its expiry. */
export interface ExpiringToken extends BearerToken {
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number
}

/** Configures the OAuth 2 client credentials grant. */
interface ClientCredentials {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
  readonly extensions?: Readonly<Record<string, string>>
}

const REQUEST_MS_MAX = 10_000
const ANSWER_BYTES_MAX = 64 * 1024
/** Default lifetime of a token, if the endpoint does not return one. */
const LIFE_MS = 300_000
/** Fraction of its lifetime after which a token is renewed: brokers may close connections whose token has expired. */
const RENEW_AFTER = 0.8
const ERROR_CHARACTERS_MAX = 100

/**
 * Returns a function that caches a token for most of its lifetime and then renews it. Concurrent calls share one request.
 * If a renewal fails, the old token is returned while it is valid, otherwise the error is thrown and the next call tries again.
 */
export function cacheToken(
  ask: () => Promise<ExpiringToken>,
  clock: Pick<Clock, 'now'> = systemClock,
): () => Promise<BearerToken> {
  let kept: ExpiringToken | undefined
  let renewAtMs = 0
  let asking: Promise<ExpiringToken> | undefined
  const renew = async (): Promise<ExpiringToken> => {
    const askedAtMs = clock.now()
    try {
      kept = await ask()
      renewAtMs = askedAtMs + (kept.expiresAtMs - askedAtMs) * RENEW_AFTER
      return kept
    } catch (error) {
      if (kept === undefined || clock.now() >= kept.expiresAtMs) throw error
      return kept
    } finally {
      asking = undefined
    }
  }
  return () => (kept !== undefined && clock.now() < renewAtMs ? Promise.resolve(kept) : (asking ??= renew()))
}

/**
 * Requests a token from the token endpoint, within ten seconds.
 * @throws KD_KAFKA_AUTH_FAILED if it refuses the client or its response has no token; KD_KAFKA_UNREACHABLE if it does not
 * answer, or answers with 429 or a status from 500.
 */
export async function requestToken(
  credentials: ClientCredentials,
  clock: Pick<Clock, 'now'> = systemClock,
): Promise<ExpiringToken> {
  const { tokenUrl, clientId, clientSecret, scope, extensions } = credentials
  const place = { tokenUrl: withoutQuery(tokenUrl), clientId }
  const askedAtMs = clock.now()
  let response: Response
  let text: string
  try {
    response = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(scope === undefined ? {} : { scope }),
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    })
    text = await bounded(response)
  } catch (error) {
    const detail = `expected a token, got: ${reasonOf(error)}`
    throw new PipelineError('KD_KAFKA_UNREACHABLE', detail, place, { cause: error })
  }
  if (!response.ok) throw refusalOf(response.status, text, place)
  const { access_token: value, expires_in: seconds } = objectOf(text)
  if (typeof value !== 'string' || value === '') {
    const detail = 'expected access_token in the response of the token endpoint, got none'
    throw new PipelineError('KD_KAFKA_AUTH_FAILED', detail, place)
  }
  const lifeMs = Number(seconds) > 0 ? Number(seconds) * 1000 : LIFE_MS
  return { value, expiresAtMs: askedAtMs + lifeMs, ...(extensions === undefined ? {} : { extensions }) }
}

/** Creates the error of a refused request with the registered error code only: descriptions may repeat secrets. */
function refusalOf(status: number, text: string, place: Readonly<Record<string, string>>): PipelineError {
  const { error } = objectOf(text)
  const word = typeof error === 'string' ? `, ${error.slice(0, ERROR_CHARACTERS_MAX)}` : ''
  if (status >= 500 || status === 429) {
    return new PipelineError('KD_KAFKA_UNREACHABLE', `expected a token, got: status ${status}${word}`, place)
  }
  const detail = `expected a token, got: status ${status}${word}; check kafka.sasl.oauth`
  return new PipelineError('KD_KAFKA_AUTH_FAILED', detail, place)
}

async function bounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    const chunk = part as Uint8Array
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`a response of more than ${ANSWER_BYTES_MAX} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString()
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Returns the reason of a failed `fetch`, which is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? messageOf(cause) : messageOf(error)
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//')
}
