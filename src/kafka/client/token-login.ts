import type { Mechanism } from 'kafkajs'
import { messageOf, PipelineError } from '../../core/errors.ts'

/** Holds a bearer token and its SASL extensions. */
export interface BearerToken {
  readonly value: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** Configures a login by tokens (SASL OAUTHBEARER). `token` is called at each login and should cache the token. */
export interface TokenLogin {
  /** Returns the token for a login. */
  readonly token: () => Promise<BearerToken>
}

/** Separates the parts of the message, and is the complete answer of a client to a refusal. */
const SEPARATOR = '\u0001'
/** Size of the length with which kafkajs prefixes these messages. */
const LENGTH_BYTES = 4
const REFUSAL_CHARACTERS_MAX = 300

/**
 * Creates the SASL mechanism that logs in with a token. The mechanism of kafkajs takes a refused token for an accepted one:
 * the broker sends the reason in a response without an error, and refuses only the next request.
 */
export function tokenMechanism({ token }: TokenLogin): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ host, port, saslAuthenticate }) => ({
      authenticate: async () => {
        const { value, extensions = {} } = await token()
        const pairs = Object.entries(extensions).map(([name, text]) => `${name}=${text}${SEPARATOR}`)
        const opening = `n,,${SEPARATOR}auth=Bearer ${value}${SEPARATOR}${pairs.join('')}${SEPARATOR}`
        const answer = await saslAuthenticate({ request: requestOf(opening), response: TEXT })
        if (typeof answer !== 'string' || answer === '') return
        const refusal = await saslAuthenticate({ request: requestOf(SEPARATOR), response: TEXT }).then(
          () => 'no reason given',
          (error: unknown) => messageOf(error),
        )
        const reason = (refusal === answer ? answer : `${answer} ${refusal}`).slice(0, REFUSAL_CHARACTERS_MAX)
        const detail = `expected the token to be accepted, got: ${reason}; check client, scope and audience in kafka.sasl.oauth`
        throw new PipelineError('KD_KAFKA_AUTH_FAILED', detail, { broker: `${host}:${port}` })
      },
    }),
  }
}

function requestOf(message: string): { encode: () => Buffer } {
  return {
    encode: () => {
      const bytes = Buffer.from(message)
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    },
  }
}

const TEXT = {
  decode: (raw: Buffer): Buffer => raw.subarray(LENGTH_BYTES),
  parse: (text: Buffer): string => text.toString(),
}
