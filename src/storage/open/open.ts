import { fileURLToPath } from 'node:url'
import { PipelineError } from '../../core/errors.ts'
import type { AzureAccess, AzureStoreOptions } from '../azure/azure-options.ts'
import type { DynamoOptions } from '../dynamodb/dynamodb-entries.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import { circuitNameOf } from '../circuit-name.ts'
import type { GcsStoreOptions } from '../gcs/gcs-options.ts'
import { GuardedStore } from '../guarded.ts'
import { LocalStore } from '../local/local.ts'
import { MemoryStore } from '../memory.ts'
import type { StoreRetryPolicy, StoreRequestOptions } from '../requests.ts'
import type { S3StoreOptions } from '../s3/s3.ts'
import type { Store } from '../store.ts'

/** Holds the options of each kind of store; the scheme of the URI selects the kind. */
export interface StoreOptions {
  /** With `logStore: 'dynamodb'` commits are coordinated through DynamoDB, otherwise by conditional puts in the bucket. */
  readonly s3?: S3StoreOptions & { readonly logStore?: 's3' | 'dynamodb' }
  /** Region and keys that are absent are taken from `s3`. */
  readonly dynamodb?: DynamoOptions
  readonly azure?: AzureAccess & AzureStoreOptions
  readonly gcs?: GcsStoreOptions
  /** Retry policy of all kinds of stores; the options of a kind take precedence. */
  readonly retryPolicy?: Partial<StoreRetryPolicy>
  /** Circuits of the process: requests wait while the circuit of their server is open. Without circuits they never wait. */
  readonly circuits?: Circuits
}

type Opener = (uri: string, options: StoreOptions) => Store | Promise<Store>

/** Functions that open a store, by URI scheme. */
const SCHEMES: Readonly<Record<string, Opener>> = {
  'file:': (uri, options) => openLocal(folderOf(uri), uri, options),
  'memory:': (uri) => new MemoryStore(uri.slice('memory:'.length)),
  's3:': openS3,
  's3a:': openS3,
  'abfss:': openAzure,
  'abfs:': openAzure,
  'az:': openAzure,
  'azure:': openAzure,
  'gs:': openGcs,
}

/**
 * Opens the store with the root `uri`: `s3://bucket/prefix` (or `s3a://`),
 * `abfss://container@account.dfs.core.windows.net/prefix` (or `abfs://`), `az://container/prefix` (or `azure://`),
 * `gs://bucket/prefix`, `file:///folder`, `memory:name`, or a path. No request is sent and nothing is created yet.
 * @throws KD_CONFIG_INVALID for an unknown scheme or a URI without a bucket
 */
export async function openStore(uri: string, options: StoreOptions = {}): Promise<Store> {
  if (uri === '') throw new PipelineError('KD_CONFIG_INVALID', 'the URI of a store is empty')
  const scheme = /^(?:[a-z][a-z0-9+.-]+:(?=\/\/)|(?:memory|file):)/i.exec(uri)?.[0].toLowerCase()
  if (scheme === undefined) return openLocal(uri, uri, options)
  const open = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (open === undefined)
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `expected a path or a URI that begins with ${Object.keys(SCHEMES).join(', ')}, got ${scheme}`,
    )
  return open(uri, options)
}

function openLocal(path: string, uri: string, { circuits, retryPolicy }: StoreOptions): Store {
  const store = new LocalStore(path, uri)
  const name = circuitNameOf(uri)
  if (circuits === undefined || name === undefined) return store
  return new GuardedStore(store, { circuit: circuits.store(name), retryPolicy })
}

/** Returns the options of a store with the common retry policy and the circuit of its server. */
function requestOptionsFor<T extends StoreRequestOptions>(
  own: T | undefined,
  name: string | undefined,
  options: StoreOptions,
): T {
  const { circuits, retryPolicy } = options
  return {
    ...(retryPolicy === undefined ? {} : { retryPolicy }),
    ...(circuits === undefined || name === undefined ? {} : { circuit: circuits.store(name) }),
    ...own,
  } as T
}

async function openS3(uri: string, options: StoreOptions): Promise<Store> {
  const match = /^s3a?:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/i.exec(uri)
  const bucket = match?.[1]
  // The message does not contain the URI: it may contain a key and its secret.
  if (bucket === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'expected `s3://bucket/prefix` with a plain bucket name')
  const prefix = (match?.[2] ?? '').replace(/^\/+|\/+$/g, '')
  // The SDK takes a quarter of a second to load, so it is loaded only for S3.
  const { S3Store } = await import('../s3/s3.ts')
  const store = new S3Store(bucket, prefix, requestOptionsFor(options.s3, circuitNameOf(uri), options), uri)
  if (options.s3?.logStore !== 'dynamodb') return store
  const [{ DynamoLogStore }, { DynamoEntries }] = await Promise.all([
    import('../dynamodb/dynamodb-log.ts'),
    import('../dynamodb/dynamodb-entries.ts'),
  ])
  const dynamo = dynamoOptions(options)
  const circuit = `dynamodb://${dynamo.table ?? 'delta_log'}`
  return new DynamoLogStore(store, new DynamoEntries(requestOptionsFor(dynamo, circuit, options)))
}

function dynamoOptions({ s3 = {}, dynamodb = {} }: StoreOptions): DynamoOptions {
  const region = dynamodb.region ?? s3.region
  const { accessKeyId, secretAccessKey, sessionToken } = dynamodb.accessKeyId === undefined ? s3 : dynamodb
  return {
    ...dynamodb,
    ...(region === undefined ? {} : { region }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

async function openAzure(uri: string, options: StoreOptions): Promise<Store> {
  const match = /^[a-z]+:\/\/([a-z0-9$][a-z0-9-]+)(?:@([a-z0-9][a-z0-9.-]+))?(?:\/(.*))?$/i.exec(uri)
  const [, container, host, path = ''] = match ?? []
  // As with S3 the message does not contain the URI; a signature in it would be part of every key.
  if (container === undefined || /[?&]sig=/i.test(path))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected `abfss://container@account.dfs.core.windows.net/prefix` or `az://container/prefix`, without a signature',
    )
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const [{ AzureStore }, { containerClient }] = await Promise.all([
    import('../azure/azure.ts'),
    import('../azure/azure-client.ts'),
  ])
  const place = host === undefined ? { container } : { container, host }
  const client = await containerClient(place, options.azure ?? {})
  return new AzureStore(client, prefix, uri, requestOptionsFor(options.azure, circuitNameOf(uri), options))
}

async function openGcs(uri: string, options: StoreOptions): Promise<Store> {
  const match = /^gs:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/i.exec(uri)
  const bucket = match?.[1]
  if (bucket === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'expected `gs://bucket/prefix` with a plain bucket name')
  const prefix = (match?.[2] ?? '').replace(/^\/+|\/+$/g, '')
  const { GcsStore } = await import('../gcs/gcs.ts')
  return new GcsStore(bucket, prefix, requestOptionsFor(options.gcs, circuitNameOf(uri), options), uri)
}

function folderOf(uri: string): string {
  try {
    return fileURLToPath(uri)
  } catch (error) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `expected \`file:///folder\`, got \`${uri}\``,
      {},
      { cause: error },
    )
  }
}
