import { WANTS_TLS } from '../wire/network/tls-record.ts'
import { HANDSHAKE_CUT } from './sockets.ts'

/** Describes a failed TLS handshake and its remedy. */
interface TlsFault {
  readonly problem: string
  readonly remedy: string
  /** True if it may pass without a change, such as a connection that breaks because a broker restarts. */
  readonly isTransient: boolean
}

const UNKNOWN_AUTHORITY: TlsFault = {
  problem: "the broker's certificate comes from an unknown authority",
  remedy: 'set kafka.tls.caFile to a file with the certificate of its authority',
  isTransient: false,
}
const OTHER_NAME: TlsFault = {
  problem: "the broker's certificate is for another host name",
  remedy:
    'use (and let the brokers advertise) a host name that the certificate contains, or set kafka.tls.serverName',
  isTransient: false,
}
const REFUSED: TlsFault = {
  problem: "the broker refuses this client's certificate",
  remedy: 'check that kafka.tls.certFile is valid now and comes from an authority that the broker trusts',
  isTransient: false,
}
const NO_COMMON_PROTOCOL: TlsFault = {
  problem: 'broker and client have no TLS version or cipher in common',
  remedy: 'the broker must offer TLS 1.2 or newer',
  isTransient: false,
}
const CUT: TlsFault = {
  problem: 'the broker closed the connection during the TLS handshake',
  remedy: 'a port without TLS does so: check the port, or remove kafka.ssl',
  isTransient: true,
}

/** Faults by the error codes of OpenSSL, of Node and of `createSocketFactory`. */
const FAULTS: Readonly<Record<string, TlsFault>> = {
  CERT_HAS_EXPIRED: {
    problem: "the broker's certificate has expired",
    remedy: 'renew it at the broker, and check the clock of this machine',
    isTransient: false,
  },
  CERT_NOT_YET_VALID: {
    problem: "the broker's certificate is not valid yet",
    remedy: 'check the clocks of this machine and of the machine that created the certificate',
    isTransient: false,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  HOSTNAME_MISMATCH: OTHER_NAME,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_REJECTED: UNKNOWN_AUTHORITY,
  INVALID_CA: UNKNOWN_AUTHORITY,
  CERT_REVOKED: {
    problem: "the broker's certificate was revoked",
    remedy: 'replace it at the broker',
    isTransient: false,
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    problem: 'the broker requires a client certificate',
    remedy: 'set kafka.tls.certFile and kafka.tls.keyFile',
    isTransient: false,
  },
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: {
    problem: 'the broker requires a client certificate, or refuses the one it received',
    remedy: 'set or check kafka.tls.certFile and kafka.tls.keyFile',
    isTransient: false,
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: {
    problem: "this client's certificate has expired",
    remedy: 'renew kafka.tls.certFile',
    isTransient: false,
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: REFUSED,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSED,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: REFUSED,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_PROTOCOL,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_PROTOCOL,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_COMMON_PROTOCOL,
  ERR_SSL_WRONG_VERSION_NUMBER: { ...CUT, problem: 'the broker does not answer in TLS', isTransient: false },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: {
    ...CUT,
    problem: 'the broker does not answer in TLS',
    isTransient: false,
  },
  [HANDSHAKE_CUT]: CUT,
  [WANTS_TLS]: {
    problem: 'this port uses TLS',
    remedy: 'set kafka.ssl to true, or use another port',
    isTransient: false,
  },
}

/** Returns the TLS fault of an error code, or `undefined` for other codes. */
export function tlsFaultOf(code: string): TlsFault | undefined {
  if (Object.hasOwn(FAULTS, code)) return FAULTS[code]
  if (!code.startsWith('ERR_SSL_')) return undefined
  return {
    problem: 'the connection could not be secured',
    remedy: 'check kafka.tls and the port',
    isTransient: false,
  }
}
