/** Holds the paths of PEM files for TLS with a server. `certFile` and `keyFile` are both set or both absent. */
export interface TlsFiles {
  /** Certificate authorities of the server; those of Node by default. */
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassphrase?: string
}

/** Configures TLS with Kafka brokers. */
export interface BrokerTls extends TlsFiles {
  /** Host name that the brokers' certificates are checked against, instead of the broker's address. */
  readonly serverName?: string
  /** Accepts any certificate. */
  readonly insecureSkipVerify: boolean
}
