import type { OptionTree } from '../option.ts'

/** Declares the options below `kafka.tls`: certificates. */
export const TLS_OPTIONS = {
  /** Absolute path of an existing file. */
  caFile: {
    doc: "PEM file with the certificate authorities that are trusted to sign the brokers' certificates. Unset: those of Node.js, and those of `NODE_EXTRA_CA_CERTS`.",
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_CA_FILE',
  },
  /** Absolute path of an existing file. Set exactly if `keyFile` is. */
  certFile: {
    doc: 'PEM file with the client certificate for mutual TLS, followed by its intermediate certificates. All files of `kafka.tls` are read again for each connection, so that renewed certificates need no restart.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_CERT_FILE',
  },
  /** Absolute path of an existing file. */
  keyFile: {
    doc: 'PEM file with the private key of `certFile`.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_KEY_FILE',
  },
  keyPassphrase: {
    doc: 'Passphrase of `keyFile`, if it is encrypted.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'KAFKA_DELTA_TLS_KEY_PASSPHRASE',
  },
  serverName: {
    doc: "Host name that the brokers' certificates are checked against. Set it if brokers are reached by another name than the one in their certificates, such as an IP address or a tunnel.",
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_TLS_SERVER_NAME',
  },
  insecureSkipVerify: {
    doc: 'Accepts any broker certificate. Anyone on the network path can then read and change records, so use it for tests only; the log warns at each start.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_TLS_INSECURE_SKIP_VERIFY',
  },
} as const satisfies OptionTree

/** Declares the options below `kafka.sasl`: the login. */
export const SASL_OPTIONS = {
  /** Always set: without it the configuration has no `sasl`. */
  mechanism: {
    doc: 'SASL mechanism for logging in to the brokers. Unset: no login. `plain` and `scram-*` require `username` and `password`, `oauthbearer` the options below `oauth`, `aws-msk-iam` those below `aws`.',
    format: ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'],
    default: null,
    nullable: true,
    enablesSection: true,
    env: 'KAFKA_DELTA_SASL_MECHANISM',
  },
  /** Set for `plain` and `scram-*`, as is `password`. */
  username: {
    doc: 'User name of the login.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_SASL_USERNAME',
  },
  password: {
    doc: 'Password of the login.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'KAFKA_DELTA_SASL_PASSWORD',
  },
  oauth: {
    /** Set for `oauthbearer`, as are `clientId` and `clientSecret`. */
    tokenUrl: {
      doc: 'URL of the OAuth token endpoint (client credentials grant). A token is cached and renewed before it expires.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_TOKEN_URL',
    },
    clientId: {
      doc: 'Client ID sent to the token endpoint.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_CLIENT_ID',
    },
    clientSecret: {
      doc: 'Client secret sent to the token endpoint.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'KAFKA_DELTA_OAUTH_CLIENT_SECRET',
    },
    scope: {
      doc: 'Scope requested from the token endpoint. Unset: none.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_SCOPE',
    },
    extensions: {
      doc: 'SASL extensions sent to the brokers with the token, such as `logicalCluster` and `identityPoolId` of Confluent Cloud.',
      format: 'map',
      default: [],
    },
  },
  aws: {
    /** Set for `aws-msk-iam`. */
    region: {
      doc: 'AWS region of the MSK cluster. Credentials come from the default AWS credential chain: environment, profile, web identity, container, instance.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_MSK_REGION',
    },
    roleArn: {
      doc: 'ARN of an IAM role to assume before logging in. Unset: the credentials are used directly.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_MSK_ROLE_ARN',
    },
  },
} as const satisfies OptionTree
