import type { OptionTree } from '../option.ts'

/** Endpoints for health, metrics and status: options below `http`. */
export const HTTP_OPTIONS = {
  port: {
    doc: 'Port of the HTTP endpoints for health, metrics and status. Unset, there are none.',
    format: 'whole-number',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_HTTP_PORT',
  },
  host: {
    doc: 'Address that the endpoints are bound to; `0.0.0.0` lets everybody in who reaches the machine.',
    format: 'text',
    default: '127.0.0.1',
    env: 'KAFKA_DELTA_HTTP_HOST',
  },
  stalledMs: {
    doc: 'A topic that lags and neither reads nor commits for this long is not ready, and the log says where it stands.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 300_000,
    env: 'KAFKA_DELTA_HTTP_STALLED_MS',
  },
} as const satisfies OptionTree
