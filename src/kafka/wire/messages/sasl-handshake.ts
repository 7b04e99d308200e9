import type { ApiTable } from '../schema.ts'

/**
 * Describes SaslHandshake, which selects the mechanism of a login. In version 1 the login continues with
 * SaslAuthenticate requests.
 *
 *     SaslHandshakeRequest (0-1) => mechanism
 *       mechanism => string
 *     SaslHandshakeResponse (0-1) => errorCode [mechanisms]
 *       errorCode => int16
 *       mechanisms => string
 */
export const SASL_HANDSHAKE = {
  key: 17,
  versions: [0, 1],
  request: {
    mechanism: { type: 'string', versions: '0+' },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    mechanisms: { type: ['string'], versions: '0+' },
  },
} as const satisfies ApiTable
