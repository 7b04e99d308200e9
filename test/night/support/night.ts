import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import kafkajs, { type Admin } from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { startKafka, type KafkaServer } from '../../../src/local-servers/kafka.ts'
import { BUDGET_BYTES, topicOf } from '../../faults/support/scenario.ts'
import { faultProxy, type FaultProxy } from '../../support/network/fault-proxy.ts'
import { startKafkaCluster, type KafkaCluster } from '../../support/servers/kafka-cluster.ts'
import { startRegistry, type RegistryServer } from '../../support/servers/registry.ts'
import { startS3, type S3Address, type S3Server } from '../../support/servers/s3.ts'
import { startSecureKafka, type SecureKafka } from '../../support/servers/secure-kafka.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { Feed, type FeedOptions } from './feed.ts'
import type { Carried } from './scenario.ts'

/** A Kafka topic that is fed, with a place for its table. */
export interface FedTopic extends Carried {
  readonly feed: Feed
  /** Returns its entry of `topics`; `more` is laid over. */
  entry(more?: object): object
}

/** A bucket behind a proxy that breaks it. */
export interface Bucket {
  readonly name: string
  readonly proxy: FaultProxy
  /** Options `storage` of the service. */
  readonly storage: object
  /** Variables with which commands read it without the proxy. */
  readonly env: Readonly<Record<string, string>>
  /** The folder that holds the objects below a prefix. */
  folder(prefix: string): string | undefined
}

/** Servers that run already, which no scenario may break. */
export interface NightServers {
  readonly brokers?: readonly string[]
  readonly s3?: S3Address
}

/** Options that are laid over those of the night. */
interface MoreConfig {
  readonly kafka?: { readonly brokers?: readonly string[]; readonly [option: string]: unknown }
  readonly [option: string]: unknown
}

const FAST_BROKER = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' }
/** A member of a group that was killed holds it up for this long. */
const GROUP = { sessionTimeoutMs: 6_000, heartbeatMs: 500 }

/** Holds the servers of a night, each started when a scenario first needs it; there is one Kafka at a time. */
export class Night {
  readonly folder: string
  readonly program: readonly string[]
  readonly say: (line: string) => void
  readonly #given: NightServers
  #kafka: KafkaServer | undefined
  #cluster: KafkaCluster | undefined
  #secure: SecureKafka | undefined
  #s3: S3Server | undefined
  #registry: RegistryServer | undefined
  readonly #proxies: FaultProxy[] = []
  #feeds: Feed[] = []

  constructor(options: {
    readonly folder: string
    readonly program: readonly string[]
    readonly say: (line: string) => void
    readonly servers?: NightServers
  }) {
    this.folder = options.folder
    this.program = options.program
    this.say = options.say
    this.#given = options.servers ?? {}
  }

  /** The brokers that the scenarios share. */
  async brokers(): Promise<readonly string[]> {
    return this.#given.brokers ?? (await this.kafka()).brokers
  }

  /** The broker that a scenario may kill, as long as it brings it back. */
  async kafka(): Promise<KafkaServer> {
    if (this.#kafka === undefined || !isAlive(this.#kafka.pid)) await this.#stopKafkas()
    return (this.#kafka ??= await startKafka({ onProgress: this.say, config: FAST_BROKER }))
  }

  /** A cluster of three brokers. */
  async cluster(): Promise<KafkaCluster> {
    if (this.#cluster === undefined) await this.#stopKafkas()
    return (this.#cluster ??= await startKafkaCluster({ say: this.say, config: FAST_BROKER }))
  }

  /** A broker with logins, certificates and access lists. */
  async secure(): Promise<SecureKafka> {
    if (this.#secure === undefined) await this.#stopKafkas()
    return (this.#secure ??= await startSecureKafka())
  }

  async registry(): Promise<{ readonly url: string; readonly proxy: FaultProxy }> {
    this.#registry ??= await startRegistry({ say: this.say })
    return { url: this.#registry.url, proxy: await this.#proxy(this.#registry.url) }
  }

  /** A new bucket; `isMissing` to have its name only. */
  async bucket({ isMissing = false }: { readonly isMissing?: boolean } = {}): Promise<Bucket> {
    const server = this.#given.s3 ?? (this.#s3 ??= await startS3({ say: this.say }))
    const { endpoint, region, accessKeyId, secretAccessKey } = server
    const proxy = await this.#proxy(endpoint)
    const name = nameForTests('lake')
    const keys = { region, accessKeyId, secretAccessKey }
    if (!isMissing) await createBucket(endpoint, name, keys)
    return {
      name,
      proxy,
      storage: { s3: { endpoint: proxy.endpoint, ...keys, forcePathStyle: true } },
      env: {
        AWS_S3_ENDPOINT: endpoint,
        AWS_S3_FORCE_PATH_STYLE: 'true',
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
      folder: (prefix) => (this.#s3 === undefined ? undefined : join(this.#s3.dir, 'data', name, prefix)),
    }
  }

  /** A new Kafka topic with a feed and a place for its table: a local folder, or below `bucket`. */
  async topic(
    options: FeedOptions & {
      readonly brokers?: readonly string[]
      readonly bucket?: Bucket
      /** Default: a new one. */
      readonly uri?: string
      readonly config?: Readonly<Record<string, string>>
      readonly replicas?: number
    } = {},
  ): Promise<FedTopic> {
    const { brokers = await this.brokers(), bucket, partitions = 2, replicas, config = {} } = options
    const topic = nameForTests('orders')
    await createTopic({ brokers, clientId: 'night' }, topic, {
      partitions,
      config,
      ...(replicas === undefined ? {} : { replicas }),
    })
    const feed = new Feed(brokers, topic, { ...options, partitions })
    this.#feeds.push(feed)
    const uri =
      options.uri ?? (bucket === undefined ? await this.newFolder(topic) : `s3://${bucket.name}/${topic}`)
    const folder = bucket === undefined ? uri : bucket.folder(topic)
    return {
      topic,
      feed,
      uri,
      ...(folder === undefined ? {} : { folder }),
      ...(bucket === undefined ? {} : { env: bucket.env }),
      entry: (more = {}) => topicOf(topic, uri, more),
    }
  }

  /** Returns a configuration with short times over the topics, by name of their entries; `more` is laid over. */
  async config(
    topics: Readonly<Record<string, object>>,
    { kafka = {}, ...more }: MoreConfig = {},
  ): Promise<object> {
    const brokers = kafka.brokers ?? (await this.brokers())
    return {
      budget: { bytes: BUDGET_BYTES },
      circuit: { openMs: 2_000, successes: 1 },
      shutdown: { deadlineMs: 10_000 },
      topics,
      ...more,
      kafka: { groupId: nameForTests('night'), ...GROUP, ...kafka, brokers },
    }
  }

  async newFolder(name: string): Promise<string> {
    const path = resolve(this.folder, nameForTests(name))
    await mkdir(path)
    return path
  }

  /** Runs something as an administrator of the brokers. */
  async asAdmin<T>(run: (admin: Admin) => Promise<T>, own?: readonly string[]): Promise<T> {
    const brokers = [...(own ?? (await this.brokers()))]
    const client = new kafkajs.Kafka({ brokers, clientId: 'night', logLevel: kafkajs.logLevel.NOTHING })
    const admin = client.admin()
    await admin.connect()
    try {
      return await run(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** Ends the feeds of a scenario. */
  async stopFeeds(): Promise<void> {
    const feeds = this.#feeds
    this.#feeds = []
    await Promise.all(feeds.map((feed) => feed.stop()))
  }

  /** Ends what belongs to one scenario, and repairs the broker that all share. */
  async endScenario(): Promise<void> {
    await this.stopFeeds()
    for (const proxy of this.#proxies.splice(0)) await proxy.stop()
  }

  async stop(): Promise<void> {
    await this.endScenario()
    await Promise.all([this.#stopKafkas(), this.#s3?.stop(), this.#registry?.stop()])
  }

  async #proxy(target: string): Promise<FaultProxy> {
    const proxy = await faultProxy(target)
    this.#proxies.push(proxy)
    return proxy
  }

  async #stopKafkas(): Promise<void> {
    await Promise.all([this.#kafka?.stop(), this.#cluster?.stop(), this.#secure?.stop()])
    this.#kafka = this.#cluster = this.#secure = undefined
  }
}

/** A scenario may have failed to bring the broker back. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function createBucket(
  endpoint: string,
  Bucket: string,
  keys: { readonly region: string; readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<void> {
  const { region, ...credentials } = keys
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
}
