import type { OptionTree } from '../option.ts'

/** Declares the options below `http`: the endpoints for health, metrics and status. */
export const HTTP_OPTIONS = {
  port: {
    doc: 'Port of the HTTP endpoints for health, metrics and status. Unset: no HTTP server is started.',
    format: 'whole-number',
    default: null,
    nullable: true,
    env: 'KAFKA_DELTA_HTTP_PORT',
  },
  host: {
    doc: 'Address that the HTTP server listens on. `0.0.0.0` accepts connections from other machines, as probes and scrapers in Kubernetes need. Beyond the loopback address, `/status`, `/config` and the data of the console need `admin.token`.',
    format: 'text',
    default: '127.0.0.1',
    env: 'KAFKA_DELTA_HTTP_HOST',
  },
  console: {
    doc: 'Serves the [console](console.md) at `/`, and keeps the last ten minutes of every topic in memory for it. Its data needs the same token as `/status`.',
    format: 'flag',
    default: true,
    env: 'KAFKA_DELTA_HTTP_CONSOLE',
  },
  stalledMs: {
    doc: 'A topic that has lag but neither reads nor commits for this long counts as stalled: `/readyz` reports it as not ready and the log says what it is waiting for. Raise it if flushes regularly take longer.',
    format: 'whole-number',
    unit: 'milliseconds',
    default: 300_000,
    env: 'KAFKA_DELTA_HTTP_STALLED_MS',
  },
} as const satisfies OptionTree
