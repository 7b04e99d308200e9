import type { ApiTable } from '../schema.ts'

/**
 * Describes SaslAuthenticate, which carries one message of a login in each direction. Version 1 adds the session
 * lifetime (KIP-368).
 *
 *     SaslAuthenticateRequest (0-2) => authBytes
 *       authBytes => bytes
 *     SaslAuthenticateResponse (0-2) => errorCode errorMessage authBytes sessionLifetimeMs
 *       errorCode => int16
 *       errorMessage => string (nullable)
 *       authBytes => bytes
 *       sessionLifetimeMs => int64 (1+)
 */
export const SASL_AUTHENTICATE = {
  key: 36,
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    authBytes: { type: 'bytes', versions: '0+' },
  },
  response: {
    errorCode: { type: 'int16', versions: '0+' },
    errorMessage: { type: 'string', versions: '0+', nullable: '0+' },
    authBytes: { type: 'bytes', versions: '0+' },
    sessionLifetimeMs: { type: 'int64', versions: '1+', default: 0n, ignorable: true },
  },
} as const satisfies ApiTable
