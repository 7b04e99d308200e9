import type { OptionTree } from '../option.ts'

/** Declares the options below `admin`: the HTTP API that changes how the process runs. */
export const ADMIN_OPTIONS = {
  enabled: {
    doc: 'Enables the admin API: a client with `admin.token` can pause, resume, flush and optimize topics and change the log level over HTTP. Requires `http.port`.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_ADMIN_ENABLED',
  },
  /** Set if `enabled` is true. At least 16 characters. */
  token: {
    doc: 'Bearer token that admin requests must send, as `Authorization: Bearer …`. At least 16 visible ASCII characters. Required with `admin.enabled`, and for `/status`, `/config` and the data of the console when `http.host` is not the loopback address.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'KAFKA_DELTA_ADMIN_TOKEN',
  },
} as const satisfies OptionTree

/** Declares the options below `metrics`. */
export const METRICS_OPTIONS = {
  javaNames: {
    doc: 'Also exports metrics under the names of the Java connector, so that its dashboards keep working after a migration.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_METRICS_JAVA_NAMES',
  },
} as const satisfies OptionTree
