import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../core/errors.ts'
import { JAVA_MISSING, fetchJars, javaCommand } from './maven.ts'
import {
  waitUntilConnectable,
  findFreePorts,
  runProgram,
  startProcess,
  type ServerProcess,
} from './process.ts'

/** Configures a local Kafka broker; everything has a default. */
interface KafkaServerOptions {
  /** Version of the broker, such as `3.9.1`; default: that of `servers/kafka/pom.xml`. */
  readonly version?: string
  /** Data folder, which `stop` keeps; default: a temporary folder, which `stop` removes. */
  readonly dir?: string
  /** Ports of the loopback address; default: free ports. */
  readonly ports?: KafkaPorts
  /** Additional lines of server.properties, which take precedence. */
  readonly config?: Readonly<Record<string, string>>
  /** Additional listeners, each with its own port. */
  readonly listeners?: readonly KafkaListener[]
  /** SCRAM users, created before the first start. */
  readonly scramUsers?: readonly ScramUser[]
  /** Called with messages about slow steps, such as the download of the jars. */
  readonly onProgress?: (message: string) => void
  /** Maximum duration of a start, in milliseconds; default 60,000. */
  readonly startMsMax?: number
  /** Maximum heap of the broker in MiB; default 512. */
  readonly heapMiBMax?: number
  /** Id of the cluster, the same for all its nodes; default: a random one. */
  readonly clusterId?: string
}

/** Describes an additional listener of a broker. */
export interface KafkaListener {
  /** Name in capitals. */
  readonly name: string
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** Properties of this listener, without the prefix. */
  readonly config?: Readonly<Record<string, string>>
}

/** Describes a SCRAM user. */
interface ScramUser {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  readonly name: string
  readonly password: string
}

/** Holds the ports of a single node. */
interface KafkaPorts {
  readonly broker: number
  readonly controller: number
  /** Ports of additional listeners, by name. */
  readonly listeners?: Readonly<Record<string, number>>
}

/** Controls a running single-node Kafka, which ends with the process that started it. */
export interface KafkaServer {
  readonly brokers: string[]
  /** Returns `host:port` of an additional listener. Throws for an unknown listener. */
  brokerOf(listener: string): string
  readonly ports: KafkaPorts
  readonly dir: string
  /** Log file of the broker. */
  readonly logPath: string
  /** Process id of the broker; changes with `resume`. */
  readonly pid: number
  /** Ends the broker and keeps its data, to simulate an outage. Default: SIGKILL. */
  halt(signal?: NodeJS.Signals): Promise<void>
  /** Starts the broker again with the same ports and data. */
  resume(): Promise<void>
  /** Ends the broker and removes its data unless `dir` was given. */
  stop(): Promise<void>
}

const START_MS_MAX = 60_000
const BIND_ATTEMPTS_MAX = 3
const HEAP_MIB_MAX = 512

/**
 * Starts a Kafka broker (KRaft, one node, no Docker) and resolves when it accepts connections. Topics are not created
 * automatically; records are kept regardless of their timestamps.
 * @throws KD_PREREQUISITE_MISSING if Java or Maven is missing; KD_SERVER_FAILED with the last log lines
 */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const libraries = await fetchJars('kafka', options.onProgress, options.version)
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(libraries, options)
    } catch (error) {
      // Another process may bind a free port before the broker does.
      const taken = messageOf(error).includes('Address already in use')
      if (!taken || options.ports !== undefined || attempt === BIND_ATTEMPTS_MAX) throw error
    }
  }
}

async function startOnce(libraries: string, options: KafkaServerOptions): Promise<KafkaServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'kafka-delta-kafka-')))
  const remove = async (): Promise<void> => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
  }
  try {
    const ports = options.ports ?? (await newPorts(options.listeners ?? []))
    await mkdir(dir, { recursive: true })
    const properties = join(dir, 'server.properties')
    await writeFile(properties, serverProperties(dir, ports, options))
    await format(libraries, dir, properties, options)
    const logPath = join(dir, 'kafka.log')
    const start = (): Promise<ServerProcess> =>
      startBroker(libraries, { properties, logPath, port: ports.broker }, options)
    let broker = await start()
    return {
      brokers: [`127.0.0.1:${ports.broker}`],
      brokerOf: (listener) => `127.0.0.1:${portOf(ports, listener)}`,
      ports,
      dir,
      logPath,
      get pid() {
        return broker.pid
      },
      halt: (signal = 'SIGKILL') => broker.stop(signal),
      resume: async () => {
        await broker.stop()
        broker = await start()
      },
      stop: async () => {
        await broker.stop(options.dir === undefined ? 'SIGKILL' : 'SIGTERM')
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function newPorts(listeners: readonly KafkaListener[]): Promise<KafkaPorts> {
  const [broker, controller, ...others] = await findFreePorts(2 + listeners.length)
  if (broker === undefined || controller === undefined)
    throw new Error('Broken invariant: two ports were requested')
  return {
    broker,
    controller,
    listeners: Object.fromEntries(listeners.map(({ name }, index) => [name, others[index] as number])),
  }
}

function portOf({ listeners }: KafkaPorts, listener: string): number {
  const port = listeners?.[listener]
  if (port === undefined) throw new Error(`Unknown listener ${listener}`)
  return port
}

async function format(
  libraries: string,
  dir: string,
  properties: string,
  { scramUsers = [], clusterId = newClusterId() }: KafkaServerOptions,
): Promise<void> {
  if (existsSync(join(dir, 'data', 'meta.properties'))) return
  await runProgram(
    javaCommand(),
    // A short-lived program: the C1 compiler and the serial collector halve its time.
    [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      '-cp',
      join(libraries, '*'),
      'kafka.tools.StorageTool',
    ].concat(
      ['format', '-t', clusterId, '-c', properties],
      scramUsers.flatMap(({ mechanism, name, password }) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    ),
    { missing: JAVA_MISSING, runMsMax: START_MS_MAX },
  )
}

/** Returns a random id for a cluster. */
export function newClusterId(): string {
  // The letter in front prevents an id that looks like a command-line option.
  return `k${randomBytes(16).toString('base64url').slice(1)}`
}

async function startBroker(
  libraries: string,
  {
    properties,
    logPath,
    port,
  }: { readonly properties: string; readonly logPath: string; readonly port: number },
  { startMsMax = START_MS_MAX, heapMiBMax = HEAP_MIB_MAX }: KafkaServerOptions,
): Promise<ServerProcess> {
  const broker = await startProcess({
    name: 'Kafka',
    command: javaCommand(),
    args: [`-Xmx${heapMiBMax}m`, '-XX:+UseSerialGC', '-cp', join(libraries, '*'), 'kafka.Kafka', properties],
    logPath,
    ready: /Kafka Server started/,
    startMsMax,
    missing: JAVA_MISSING,
  })
  await waitUntilConnectable('Kafka', port, startMsMax)
  return broker
}

function serverProperties(
  dir: string,
  ports: KafkaPorts,
  { config, listeners = [] }: KafkaServerOptions,
): string {
  const { broker, controller } = ports
  const others = listeners.map(({ name }) => `,${name}://127.0.0.1:${portOf(ports, name)}`).join('')
  const protocols = listeners.map(({ name, protocol }) => `,${name}:${protocol}`).join('')
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}${others}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}${others}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${protocols}`,
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Few internal partitions: the first member of a group and the first transaction wait for them.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    // Generated records may have old timestamps; retention by age would delete them.
    'log.retention.ms': '-1',
    // The log cleaner allocates this on the heap at start; 128 MiB by default.
    'log.cleaner.dedupe.buffer.size': '16777216',
    ...Object.fromEntries(listeners.flatMap(listenerProperties)),
    ...config,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function listenerProperties({ name, config = {} }: KafkaListener): (readonly [string, string])[] {
  return Object.entries(config).map(
    ([key, value]) => [`listener.name.${name.toLowerCase()}.${key}`, value] as const,
  )
}
