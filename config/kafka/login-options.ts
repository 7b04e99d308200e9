import type { OptionTree } from '../option.ts'

/** Certificates: options below `kafka.tls`. */
export const TLS_OPTIONS = {
  caFile: {
    doc: "PEM file with the authorities that the brokers' certificates must come from. Unset, those that Node knows, and those of `NODE_EXTRA_CA_CERTS`.",
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_CA_FILE',
  },
  certFile: {
    doc: 'PEM file with the certificate by which this client shows who it is (mutual TLS), and the certificates between it and the authority. This and the other files are read again for each connection, so that renewed ones need no restart.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_CERT_FILE',
  },
  keyFile: {
    doc: 'PEM file with the private key of `certFile`.',
    format: 'text',
    default: null,
    nullable: true,
    path: true,
    env: 'KAFKA_DELTA_TLS_KEY_FILE',
  },
  keyPassphrase: {
    doc: 'Passphrase of an encrypted `keyFile`.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'KAFKA_DELTA_TLS_KEY_PASSPHRASE',
  },
  serverName: {
    doc: "Name that the brokers' certificates must have, where they are reached under another one (a tunnel, an address).",
    format: 'text',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_TLS_SERVER_NAME',
  },
  insecureSkipVerify: {
    doc: 'Talk to brokers whatever their certificates say: anybody in between can read along and change records. For tries only; the log warns at each start.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_TLS_INSECURE_SKIP_VERIFY',
  },
} as const satisfies OptionTree

/** The login: options below `kafka.sasl`. */
export const SASL_OPTIONS = {
  mechanism: {
    doc: 'How to log in to the brokers; without it no login is tried. `plain` and `scram-*` need `username` and `password`, `oauthbearer` the options below `oauth`, `aws-msk-iam` those below `aws`.',
    format: ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'],
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_SASL_MECHANISM',
  },
  username: {
    doc: 'User of the login.',
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
    tokenUrl: {
      doc: 'Address that gives tokens for client credentials. A token is kept and asked for again before it expires.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_TOKEN_URL',
    },
    clientId: {
      doc: 'Client that asks for the token.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_CLIENT_ID',
    },
    clientSecret: {
      doc: 'Secret of that client.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'KAFKA_DELTA_OAUTH_CLIENT_SECRET',
    },
    scope: {
      doc: 'Scope asked for.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_OAUTH_SCOPE',
    },
    extensions: {
      doc: 'SASL extensions sent with the token, such as `logicalCluster` and `identityPoolId` of Confluent Cloud.',
      format: 'map',
      default: [],
    },
  },
  aws: {
    region: {
      doc: 'Region of the MSK cluster. The credentials come from the standard chain of AWS: environment, profile, web identity, container, instance.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_MSK_REGION',
    },
    roleArn: {
      doc: 'Role to take on before logging in.',
      format: 'text',
      default: null,
      nullable: true,
      env: 'KAFKA_DELTA_MSK_ROLE_ARN',
    },
  },
} as const satisfies OptionTree
