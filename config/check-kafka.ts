import { checkTogether, type Report } from './report.ts'
import type { KafkaConfig } from './types.ts'

/** Options of the brokers that do not go together. */
export function checkKafka(kafka: KafkaConfig, report: Report): void {
  if (kafka.sessionTimeoutMs < 3 * kafka.heartbeatMs) {
    report(
      ['kafka.sessionTimeoutMs', 'kafka.heartbeatMs'],
      `must be at least three times kafka.heartbeatMs (${3 * kafka.heartbeatMs}): value was ${kafka.sessionTimeoutMs}`,
    )
  }
  if (kafka.fetchBytesPerPartitionMax > kafka.fetchBytesMax) {
    report(
      ['kafka.fetchBytesPerPartitionMax', 'kafka.fetchBytesMax'],
      `must not exceed kafka.fetchBytesMax (${kafka.fetchBytesMax}): value was ${kafka.fetchBytesPerPartitionMax}`,
    )
  }
  const noHostPort = kafka.brokers.find((broker) => !/^[^\s/]+:\d{1,5}$/.test(broker))
  if (noHostPort !== undefined) {
    report(['kafka.brokers'], `must each be host:port: value was ${JSON.stringify(noHostPort)}`)
  }
  if (kafka.brokers.length === 0) report(['kafka.brokers'], 'must name at least one broker')
  checkTogether(kafka.sasl ?? {}, 'kafka.sasl', ['mechanism', 'username', 'password'], report)
}
