/** Names the brokers that the demo can start: one in this process, or Kafka itself, which needs Java and Maven. */
export const DEMO_BROKERS = ['embedded', 'real'] as const

/** Names a broker of `DEMO_BROKERS`. */
export type DemoBrokerKind = (typeof DEMO_BROKERS)[number]

/** A broker that runs for the demo alone. */
export interface DemoBroker {
  readonly brokers: readonly string[]
  /** Says for people which broker it is. */
  readonly description: string
  stop(): Promise<void>
}

/**
 * Starts a broker for the demo; `say` receives messages about slow steps.
 * @throws KD_PREREQUISITE_MISSING if Kafka is asked for, and Java or Maven is missing
 */
export async function startDemoBroker(
  kind: DemoBrokerKind,
  say: (line: string) => void,
): Promise<DemoBroker> {
  if (kind === 'embedded') {
    const { startEmbeddedKafka } = await import('../../embedded-kafka/embedded-kafka.ts')
    const broker = await startEmbeddedKafka()
    return {
      brokers: broker.brokers,
      description: `${broker.brokers.join()}, the embedded broker; --kafka real starts Apache Kafka`,
      stop: () => broker.stop(),
    }
  }
  const { startKafka } = await import('../../local-servers/kafka.ts')
  const server = await startKafka({ onProgress: say })
  return {
    brokers: server.brokers,
    description: `${server.brokers.join()}, Apache Kafka, started in a temporary folder for this demo`,
    stop: () => server.stop(),
  }
}
