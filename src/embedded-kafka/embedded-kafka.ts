import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { systemClock, type Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import { ClientConnection } from './client-connection.ts'
import type { FaultPlan } from './faults.ts'
import { openBrokerFolder, type BrokerFolder } from './folder/broker-folder.ts'
import type { FsyncPolicy } from './folder/open-files.ts'
import { GroupCoordinator } from './groups/group-coordinator.ts'
import type { BrokerState } from './handlers/handler.ts'
import { NO_LEDGER, type Ledger } from './ledger.ts'
import { EmbeddedTopics } from './topics.ts'
import { Transactions } from './transactions/transactions.ts'

/** Configures the embedded broker. */
export interface EmbeddedKafkaOptions {
  /** Port on the loopback interface; a free one by default. */
  readonly port?: number
  /** Bytes that all records may take; default 1 GiB. Records beyond it are refused. */
  readonly bytesMax?: number
  /**
   * Folder in which topics, records, offsets of groups and transactions are kept; it is created if it is not there. Without
   * it everything is forgotten with the broker. Records are in memory too. Beside the records, at most `bytesMax`, it
   * holds what is known of topics, groups and transactions, twice at most, or 4 MiB.
   */
  readonly folder?: string
  /**
   * Says when an answer means that the bytes are on the disk of `folder`. `never`, the default: they are with the kernel, so
   * that they survive the end of the process, SIGKILL too, but not a loss of power. `always`: they survive that too.
   */
  readonly fsync?: FsyncPolicy
  /** Partitions of topics that requests for their metadata create; by default none is created that way. */
  readonly autoCreatePartitions?: number
  /** Decides which requests fail, and how; by default none. */
  readonly faults?: FaultPlan
  readonly clock?: Clock
  /** Receives the errors for which the broker cuts a connection; by default they are warnings of the process. */
  readonly onError?: (error: unknown) => void
}

/** A broker that runs in this process; see `startEmbeddedKafka`. */
export interface EmbeddedKafka {
  /** Addresses for clients. */
  readonly brokers: readonly string[]
  readonly topics: EmbeddedTopics
  /** Replaces the plan of faults; `undefined` ends them. */
  setFaults(faults: FaultPlan | undefined): void
  /** Cuts all connections. */
  cut(): void
  /** Removes the members of a group, or of all, as if their sessions had timed out. */
  expireMembers(groupId?: string): void
  /** Stops the broker; without a folder, all records are forgotten. */
  stop(): Promise<void>
}

const BYTES_MAX = 2 ** 30
const HOST = '127.0.0.1'
const TICK_MS = 50

/**
 * Starts a Kafka broker in this process. It speaks Kafka's protocol to any client on this machine: topics, idempotent and
 * transactional producers, consumers of both isolation levels with fetch sessions, groups of the classic protocol and of
 * KIP-848. Records are in memory, and in a folder if one is named. There is one broker, without TLS and logins.
 * @throws PipelineError if the folder is used by another broker, or cannot be read
 */
export async function startEmbeddedKafka(options: EmbeddedKafkaOptions = {}): Promise<EmbeddedKafka> {
  const { bytesMax = BYTES_MAX, autoCreatePartitions, clock = systemClock } = options
  let { faults } = options
  const stopping = new AbortController()
  const connections = new Set<ClientConnection>()
  // Listens first: of two brokers with one port and one folder, the second never touches the folder.
  const server = createServer()
  const port = await listen(server, options.port ?? 0)
  const folder =
    options.folder === undefined ? undefined : openedFolder(server, options.folder, options.fsync)
  const ledger = folder?.ledger ?? NO_LEDGER
  const topics = new EmbeddedTopics(folder)
  const groups = new GroupCoordinator(clock, topics, ledger)
  const commit = (...committed: Parameters<GroupCoordinator['commit']>): void => groups.commit(...committed)
  const transactions = new Transactions(topics, clock, commit, ledger)
  let numbers = 0
  const state: BrokerState = {
    ...{ topics, groups, transactions, clock, host: HOST, port, clusterId: clusterIdOf(ledger), bytesMax },
    ...{ autoCreatePartitions, signal: stopping.signal, onError: options.onError ?? warn },
  }
  server.on('connection', (socket: Socket) => {
    const connection = new ClientConnection(socket, state, numbers++, (request) => faults?.(request))
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  })
  const timer = setInterval(() => {
    groups.tick()
    transactions.expire()
  }, TICK_MS)
  timer.unref()
  const cut = (): void => {
    for (const connection of connections) connection.cut()
  }
  return {
    brokers: [`${HOST}:${port}`],
    topics,
    setFaults: (plan) => {
      faults = plan
    },
    cut,
    expireMembers: (groupId) => groups.expireMembers(groupId),
    stop: async () => {
      clearInterval(timer)
      stopping.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      cut()
      await closed
      folder?.close()
    },
  }
}

function openedFolder(server: Server, path: string, fsync: FsyncPolicy = 'never'): BrokerFolder {
  try {
    return openBrokerFolder(path, fsync)
  } catch (error) {
    server.close()
    throw error
  }
}

/** Returns the id that the cluster has from its first start on. */
function clusterIdOf(ledger: Ledger): string {
  const [known] = ledger.facts('cluster')
  if (known !== undefined) return known[1] as string
  const made = randomUUID()
  ledger.set([[['cluster'], made]])
  return made
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port))
  })
}

function warn(error: unknown): void {
  process.emitWarning(`The embedded broker cut a connection: ${messageOf(error)}`)
}
