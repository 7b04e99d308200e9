import type { OptionTree } from '../option.ts'

/** Where schemas are looked up: options below `schemaRegistry`. */
export const REGISTRY_OPTIONS = {
  url: {
    doc: "Address of a schema registry with Confluent's REST API, such as `https://registry:8081`.",
    format: 'text',
    default: null,
    nullable: true,
    env: 'SCHEMA_REGISTRY_URL',
  },
  username: {
    doc: 'User of the registry.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'SCHEMA_REGISTRY_USERNAME',
  },
  password: {
    doc: 'Password of the user.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'SCHEMA_REGISTRY_PASSWORD',
  },
  token: {
    doc: 'Bearer token for the registry, instead of a user and a password.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'SCHEMA_REGISTRY_TOKEN',
  },
  tls: {
    caFile: {
      doc: 'PEM file with the authorities that may sign the certificate of the registry, instead of those that Node knows.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_CA_FILE',
    },
    certFile: {
      doc: 'PEM file with the certificate by which we log in to the registry.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_CERT_FILE',
    },
    keyFile: {
      doc: 'PEM file with the key of that certificate.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_KEY_FILE',
    },
    keyPassphrase: {
      doc: 'What the key is encrypted with.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'SCHEMA_REGISTRY_TLS_KEY_PASSPHRASE',
    },
  },
} as const satisfies OptionTree
