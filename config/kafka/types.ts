/** Brokers and group after loading. `sasl` is absent when no login is wanted. */
export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly clientId: string
  readonly sessionTimeoutMs: number
  readonly heartbeatMs: number
  readonly fetchBytesMax: number
  readonly fetchBytesPerPartitionMax: number
  readonly connectTimeoutMs: number
  /** How often patterns of topics are matched again. */
  readonly discoverEveryMs: number
  readonly ssl: boolean
  /** Something is in it only where `ssl` is set. */
  readonly tls: TlsConfig
  readonly sasl?: SaslConfig
}

/** Absolute paths of PEM files. `certFile` and `keyFile` are both there or both absent. */
export interface TlsConfig {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassphrase?: string
  /** The name that the brokers' certificates must have, instead of the address asked. */
  readonly serverName?: string
  readonly insecureSkipVerify: boolean
}

/** A login at the brokers; what is there beside `mechanism` depends on it. */
export interface SaslConfig {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer' | 'aws-msk-iam'
  /** There for `plain` and `scram-*`, as `password` is. */
  readonly username?: string
  readonly password?: string
  readonly oauth: OauthConfig
  readonly aws: MskIamConfig
}

/** Client credentials; `tokenUrl`, `clientId` and `clientSecret` are there for `oauthbearer`. */
export interface OauthConfig {
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly clientSecret?: string
  readonly scope?: string
  readonly extensions: Readonly<Record<string, string>>
}

/** `region` is there for `aws-msk-iam`. */
export interface MskIamConfig {
  readonly region?: string
  readonly roleArn?: string
}
