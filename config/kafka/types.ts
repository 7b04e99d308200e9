/** Configures brokers and consumer group. `sasl` is absent without a login. */
export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly clientId: string
  /** Makes this process a static member of its group. */
  readonly groupInstanceId?: string
  readonly groupProtocol: 'classic' | 'consumer'
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  readonly rack?: string
  readonly sessionTimeoutMs: number
  readonly heartbeatMs: number
  readonly fetchBytesMax: number
  readonly fetchBytesPerPartitionMax: number
  readonly connectTimeoutMs: number
  /** Interval at which topic patterns are matched against the brokers' topics again. */
  readonly discoverEveryMs: number
  readonly ssl: boolean
  /** Empty unless `ssl` is true. */
  readonly tls: TlsConfig
  readonly sasl?: SaslConfig
}

/** Holds absolute paths of PEM files. `certFile` and `keyFile` are both set or both absent. */
interface TlsConfig {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keyPassphrase?: string
  /** Host name that the brokers' certificates are checked against, instead of the broker's address. */
  readonly serverName?: string
  readonly insecureSkipVerify: boolean
}

/** Configures the login at the brokers; which fields are set depends on `mechanism`. */
export interface SaslConfig {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer' | 'aws-msk-iam'
  /** Set for `plain` and `scram-*`, as is `password`. */
  readonly username?: string
  readonly password?: string
  readonly oauth: OauthConfig
  readonly aws: MskIamConfig
}

/** Configures OAuth client credentials; `tokenUrl`, `clientId` and `clientSecret` are set for `oauthbearer`. */
interface OauthConfig {
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly clientSecret?: string
  readonly scope?: string
  readonly extensions: Readonly<Record<string, string>>
}

/** Configures the IAM login to Amazon MSK; `region` is set for `aws-msk-iam`. */
interface MskIamConfig {
  readonly region?: string
  readonly roleArn?: string
}
