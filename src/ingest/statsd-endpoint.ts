/** Describes where StatsD metrics are sent and how they are named. */
export interface StatsdEndpoint {
  readonly host: string
  readonly port: number
  /** Prefix of every metric name. */
  readonly prefix: string
  /** Metrics that may wait to be sent; further ones are dropped. */
  readonly queueMax: number
}

const PREFIX = 'kafka_delta_ingest'
const QUEUE_MAX = 100
const QUEUE_LIMIT = 100_000

/** Parses `host:port` and the variables KDI_METRICS_*; returns `undefined` for an empty text. Faults are reported. */
export function statsdEndpointOf(
  endpoint: string,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): StatsdEndpoint | undefined {
  if (endpoint.trim() === '') return undefined
  const [, host, digits] = /^\[?([^\s\]]+?)\]?:(\d{1,5})$/.exec(endpoint.trim()) ?? []
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) {
    report(`--statsd_endpoint: expected host:port, got ${endpoint}`)
    return undefined
  }
  const size = env['KDI_METRICS_INPUT_QUEUE_SIZE'] ?? ''
  const queueMax = size === '' ? QUEUE_MAX : Number(size)
  if (!Number.isInteger(queueMax) || queueMax < 1 || queueMax > QUEUE_LIMIT)
    report(`KDI_METRICS_INPUT_QUEUE_SIZE: expected a whole number from 1 to ${QUEUE_LIMIT}, got ${size}`)
  return { host, port, queueMax, prefix: env['KDI_METRICS_PREFIX'] ?? PREFIX }
}
