import { PipelineError } from '../../../core/errors.ts'
import type { BrokerAddress } from './options.ts'

const PORT = 9092
const PORT_MAX = 65_535

/**
 * Parses `host:port`, `host` or `[IPv6]:port`; the port is 9092 by default.
 * @throws KD_CONFIG_INVALID for any other text
 */
export function parseBrokerAddress(text: string): BrokerAddress {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text.trim()) ?? []
  const host = inBrackets ?? plain
  const number = port === undefined ? PORT : Number(port)
  if (host === undefined || number < 1 || number > PORT_MAX) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `expected a broker as host:port, got ${JSON.stringify(text)}`,
    )
  }
  return { host, port: number }
}
