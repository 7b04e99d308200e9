import type { KafkaConfig } from '../../config/types.ts'
import type { KafkaOptions, Log } from '../kafka/client.ts'

/** How to reach Kafka, by the configuration. */
export function kafkaOptions(kafka: KafkaConfig, log: Log): KafkaOptions {
  return {
    brokers: kafka.brokers,
    clientId: kafka.clientId,
    ...(kafka.ssl ? { ssl: true } : {}),
    ...(kafka.sasl === undefined ? {} : { sasl: kafka.sasl }),
    reachTimeoutMs: kafka.connectTimeoutMs,
    log,
  }
}
