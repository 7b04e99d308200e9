import type { Mechanism } from 'kafkajs'
import { messageOf, PipelineError } from '../../core/errors.ts'

/** What a broker is shown: a bearer token, and SASL extensions with it. */
export interface Token {
  readonly value: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** A login by tokens (SASL OAUTHBEARER). `token` is asked at each login, so it keeps what it has. */
export interface TokenLogin {
  readonly token: () => Promise<Token>
}

/** What separates the parts of the message, and all that a client says to a refusal. */
const SEPARATOR = '\u0001'
/** kafkajs reads and writes such messages with their length in front. */
const LENGTH_BYTES = 4
const REFUSAL_CHARACTERS_MAX = 300

/**
 * Logs in with a token. kafkajs has this mechanism too, but takes a refused token for an accepted one: the broker says why
 * in an answer without an error, and refuses only what comes after it.
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
        const said = (refusal === answer ? answer : `${answer} ${refusal}`).slice(0, REFUSAL_CHARACTERS_MAX)
        const detail = `expected the token to be accepted, got: ${said}; check client, scope and audience of kafka.sasl.oauth`
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
