/** Where metrics go and under which names. */
export interface StatsdPlace {
  readonly host: string
  readonly port: number
  /** In front of every name. */
  readonly prefix: string
  /** Metrics that may wait to be sent; further ones are dropped. */
  readonly queueMax: number
}

const PREFIX = 'kafka_delta_ingest'
const QUEUE_MAX = 100
const QUEUE_MOST = 100_000

/** Reads `host:port` and the variables KDI_METRICS_*; `undefined` for an empty text. Faults go to `report`. */
export function statsdOf(
  endpoint: string,
  env: Readonly<Record<string, string | undefined>>,
  report: (fault: string) => void,
): StatsdPlace | undefined {
  if (endpoint.trim() === '') return undefined
  const [, host, digits] = /^\[?([^\s\]]+?)\]?:(\d{1,5})$/.exec(endpoint.trim()) ?? []
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) {
    report(`--statsd_endpoint: expected host:port, got ${endpoint}`)
    return undefined
  }
  const size = env['KDI_METRICS_INPUT_QUEUE_SIZE'] ?? ''
  const queueMax = size === '' ? QUEUE_MAX : Number(size)
  if (!Number.isInteger(queueMax) || queueMax < 1 || queueMax > QUEUE_MOST)
    report(`KDI_METRICS_INPUT_QUEUE_SIZE: expected a whole number from 1 to ${QUEUE_MOST}, got ${size}`)
  return { host, port, queueMax, prefix: env['KDI_METRICS_PREFIX'] ?? PREFIX }
}
