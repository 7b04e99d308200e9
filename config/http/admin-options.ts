import type { OptionTree } from '../option.ts'

/** Verbs that change how the process runs: options below `admin`. */
export const ADMIN_OPTIONS = {
  enabled: {
    doc: 'Lets whoever knows `admin.token` pause, resume, flush and optimize topics and change the level of the log over HTTP. Needs `http.port`.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_ADMIN_ENABLED',
  },
  token: {
    doc: 'What such requests bear, as `Authorization: Bearer …`; at least 16 characters.',
    format: 'text',
    default: null,
    nullable: true,
    sensitive: true,
    env: 'KAFKA_DELTA_ADMIN_TOKEN',
  },
} as const satisfies OptionTree

/** Which metrics there are: options below `metrics`. */
export const METRICS_OPTIONS = {
  javaNames: {
    doc: 'Tells the metrics of the Java connector as well, under its names, so that dashboards of it go on.',
    format: 'flag',
    default: false,
    env: 'KAFKA_DELTA_METRICS_JAVA_NAMES',
  },
} as const satisfies OptionTree
