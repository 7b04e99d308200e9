import type { OptionTree } from './option.ts'

/** Where schemas are looked up: options below `schemaRegistry`. */
export const REGISTRY_OPTIONS = {
  url: {
    doc: "Address of a schema registry with Confluent's REST API, such as `https://registry:8081`. A private authority is added with Node's own variable `NODE_EXTRA_CA_CERTS`.",
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
} as const satisfies OptionTree
