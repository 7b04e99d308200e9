import { HANDSHAKE_CUT, WANTS_TLS } from './sockets.ts'

/** What went wrong while a connection was secured, and what to do. */
export interface TlsFault {
  readonly what: string
  readonly todo: string
  /** Whether it may pass by itself, such as a connection that breaks because a broker restarts. */
  readonly mayPass: boolean
}

const UNKNOWN_AUTHORITY: TlsFault = {
  what: "the broker's certificate comes from an authority that is not known here",
  todo: 'name the file with its authority in kafka.tls.caFile',
  mayPass: false,
}
const OTHER_NAME: TlsFault = {
  what: "the broker's certificate is for another host name",
  todo: 'ask the brokers (and let them advertise themselves) by a name that the certificate has, or set kafka.tls.serverName',
  mayPass: false,
}
const REFUSED: TlsFault = {
  what: "the broker refuses this client's certificate",
  todo: 'check that kafka.tls.certFile is valid now and comes from an authority that the broker trusts',
  mayPass: false,
}
const NO_COMMON_PROTOCOL: TlsFault = {
  what: 'broker and client have no TLS version or cipher in common',
  todo: 'the broker must offer TLS 1.2 or newer',
  mayPass: false,
}
const CUT: TlsFault = {
  what: 'the broker cut the connection while it was being secured',
  todo: 'a port that does not speak TLS does so: check the port, or leave kafka.ssl out',
  mayPass: true,
}

/** By codes of OpenSSL's verification, of Node and of our sockets. */
const FAULTS: Readonly<Record<string, TlsFault>> = {
  CERT_HAS_EXPIRED: {
    what: "the broker's certificate has expired",
    todo: 'it must be renewed at the broker; check the clock of this machine too',
    mayPass: false,
  },
  CERT_NOT_YET_VALID: {
    what: "the broker's certificate is not valid yet",
    todo: 'check the clocks of this machine and of the one that made the certificate',
    mayPass: false,
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
    what: "the broker's certificate was revoked",
    todo: 'it must be replaced at the broker',
    mayPass: false,
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    what: 'the broker wants a certificate of this client',
    todo: 'set kafka.tls.certFile and kafka.tls.keyFile',
    mayPass: false,
  },
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: {
    what: 'the broker wants a certificate of this client, or refuses the one it got',
    todo: 'set or check kafka.tls.certFile and kafka.tls.keyFile',
    mayPass: false,
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: {
    what: "this client's certificate has expired",
    todo: 'renew kafka.tls.certFile',
    mayPass: false,
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: REFUSED,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSED,
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: REFUSED,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_PROTOCOL,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_PROTOCOL,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_COMMON_PROTOCOL,
  ERR_SSL_WRONG_VERSION_NUMBER: { ...CUT, what: 'the broker does not answer in TLS', mayPass: false },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { ...CUT, what: 'the broker does not answer in TLS', mayPass: false },
  [HANDSHAKE_CUT]: CUT,
  [WANTS_TLS]: {
    what: 'this port speaks TLS',
    todo: 'set kafka.ssl to true, or ask another port',
    mayPass: false,
  },
}

/** What a code says of TLS; `undefined` where it says nothing of it. */
export function tlsFault(code: string): TlsFault | undefined {
  if (Object.hasOwn(FAULTS, code)) return FAULTS[code]
  if (!code.startsWith('ERR_SSL_')) return undefined
  return {
    what: 'the connection could not be secured',
    todo: 'check kafka.tls and the port',
    mayPass: false,
  }
}
