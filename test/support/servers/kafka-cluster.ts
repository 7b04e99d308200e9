import { newClusterId, startKafka, type KafkaServer } from '../../../src/local-servers/kafka.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'

/** A Kafka cluster of three brokers, which ends with the process that started it. */
export interface KafkaCluster {
  readonly brokers: string[]
  /** Brokers by node id. Node 1 is also the only controller: a cluster without it elects no leaders. */
  readonly nodes: ReadonlyMap<number, KafkaServer>
  stop(): Promise<void>
}

const NODES = [1, 2, 3]
const HEAP_MIB_MAX = 400

/**
 * Starts three brokers in three JVMs of 400 MB. Topics have three replicas; a write needs two of them, so that the death of
 * one broker loses no record.
 */
export async function startKafkaCluster(
  options: {
    readonly say?: (message: string) => void
    /** Further lines of server.properties of all nodes. */
    readonly config?: Readonly<Record<string, string>>
  } = {},
): Promise<KafkaCluster> {
  const ports = await findFreePorts(NODES.length + 1)
  const controller = ports[NODES.length] ?? 0
  const clusterId = newClusterId()
  const starts = NODES.map((node, index) =>
    startKafka({
      clusterId,
      heapMiBMax: HEAP_MIB_MAX,
      ports: { broker: ports[index] ?? 0, controller },
      config: { ...propertiesOf(node, ports[index] ?? 0, controller), ...options.config },
      ...(options.say === undefined ? {} : { onProgress: options.say }),
    }),
  )
  const started = await Promise.allSettled(starts)
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return {
    brokers: servers.flatMap(({ brokers }) => brokers),
    nodes: new Map(servers.map((server, index) => [NODES[index] ?? 0, server])),
    stop,
  }
}

function propertiesOf(node: number, port: number, controller: number): Record<string, string> {
  const isController = node === 1
  return {
    'node.id': String(node),
    'process.roles': isController ? 'broker,controller' : 'broker',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    ...(isController ? {} : { listeners: `PLAINTEXT://127.0.0.1:${port}` }),
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
    'share.coordinator.state.topic.replication.factor': '3',
    'share.coordinator.state.topic.min.isr': '2',
  }
}
