import type { OptionValues } from '../option-values.ts'
import type { KAFKA_OPTIONS } from './options.ts'

/** Configures brokers and consumer group. `sasl` is absent without a login; `tls` is empty unless `ssl` is true. */
export type KafkaConfig = OptionValues<typeof KAFKA_OPTIONS>

/** Configures the login at the brokers; which options are set depends on `mechanism`. */
export type SaslConfig = NonNullable<KafkaConfig['sasl']>
