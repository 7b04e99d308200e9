import type { OptionTree } from '../option.ts'

/** Declares the options below `schemaRegistry`. */
export const REGISTRY_OPTIONS = {
  /** Always set: without it the configuration has no `schemaRegistry`. */
  url: {
    doc: "URL of a schema registry with Confluent's REST API, such as `https://registry:8081`.",
    format: 'text',
    default: null,
    nullable: true,
    enablesSection: true,
    env: 'SCHEMA_REGISTRY_URL',
  },
  /** Set exactly if `password` is. */
  username: {
    doc: 'User name for HTTP Basic authentication at the registry. Requires `password`.',
    format: 'text',
    default: null,
    nullable: true,
    env: 'SCHEMA_REGISTRY_USERNAME',
  },
  password: {
    doc: 'Password of that user.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'SCHEMA_REGISTRY_PASSWORD',
  },
  token: {
    doc: 'Bearer token for the registry, instead of user name and password.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'SCHEMA_REGISTRY_TOKEN',
  },
  tls: {
    /** Absolute path of an existing file. */
    caFile: {
      doc: "PEM file with the certificate authorities that are trusted to sign the registry's certificate. Unset: those of Node.js.",
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_CA_FILE',
    },
    /** Absolute path of an existing file. Set exactly if `keyFile` is. */
    certFile: {
      doc: 'PEM file with the client certificate for mutual TLS with the registry. Requires `keyFile`.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_CERT_FILE',
    },
    /** Absolute path of an existing file. */
    keyFile: {
      doc: 'PEM file with the private key of `certFile`.',
      format: 'text',
      default: null,
      nullable: true,
      path: true,
      env: 'SCHEMA_REGISTRY_TLS_KEY_FILE',
    },
    keyPassphrase: {
      doc: 'Passphrase of `keyFile`, if it is encrypted.',
      format: 'text',
      default: null,
      nullable: true,
      sensitive: true,
      env: 'SCHEMA_REGISTRY_TLS_KEY_PASSPHRASE',
    },
  },
} as const satisfies OptionTree
