import { PipelineError } from '../../core/errors.ts'
import { parseStoreUri, type StoreLocation } from '../../core/uri/store-uri.ts'
import type { AzureAccess, AzureStoreOptions } from '../azure/azure-options.ts'
import type { DynamoOptions } from '../dynamodb/dynamodb-options.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import { accessCircuitNameOf, circuitNameOf } from '../circuit-name.ts'
import type { GcsStoreOptions } from '../gcs/gcs-options.ts'
import { GuardedStore } from '../guarded.ts'
import { LocalStore } from '../local/local.ts'
import { MemoryStore } from '../memory.ts'
import type { StoreRetryPolicy, StoreRequestOptions } from '../requests.ts'
import type { S3StoreOptions } from '../s3/s3-options.ts'
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

/**
 * Opens the store with the root `uri`: `s3://bucket/prefix` (or `s3a://`),
 * `abfss://container@account.dfs.core.windows.net/prefix` (or `abfs://`), `az://container/prefix` (or `azure://`),
 * `gs://bucket/prefix`, `file:///folder`, `memory:name`, or a path. No request is sent and nothing is created yet.
 * @throws KD_CONFIG_INVALID for an unknown scheme, a URI without a bucket or a path of another system
 */
export async function openStore(uri: string, options: StoreOptions = {}): Promise<Store> {
  const location = parseStoreUri(uri)
  if ('fault' in location)
    throw new PipelineError('KD_CONFIG_INVALID', `the location of a table ${location.fault}`)
  switch (location.kind) {
    case 'local':
      return openLocal(location.path, uri, options)
    case 'memory':
      return new MemoryStore(location.name)
    case 's3':
      return await openS3(location, uri, options)
    case 'gcs':
      return await openGcs(location, uri, options)
    case 'azure':
      return await openAzure(location, uri, options)
  }
}

type BucketLocation = Extract<StoreLocation, { readonly bucket: string }>
type AzureLocation = Extract<StoreLocation, { readonly kind: 'azure' }>

interface CircuitNames {
  readonly server: string | undefined
  readonly access: string | undefined
}

function circuitNamesOf(uri: string): CircuitNames {
  return { server: circuitNameOf(uri), access: accessCircuitNameOf(uri) }
}

function openLocal(path: string, uri: string, { circuits, retryPolicy }: StoreOptions): Store {
  const store = new LocalStore(path, uri)
  const name = circuitNameOf(uri)
  if (circuits === undefined || name === undefined) return store
  return new GuardedStore(store, {
    circuit: circuits.store(name),
    access: circuits.access(name),
    retryPolicy,
  })
}

/** Returns the options of a store with the common retry policy and its circuits, by their names. */
function requestOptionsFor<T extends StoreRequestOptions>(
  own: T | undefined,
  names: CircuitNames,
  options: StoreOptions,
): T {
  const { server, access } = names
  const { circuits, retryPolicy } = options
  return {
    ...(retryPolicy === undefined ? {} : { retryPolicy }),
    ...(circuits === undefined || server === undefined ? {} : { circuit: circuits.store(server) }),
    ...(circuits === undefined || access === undefined ? {} : { access: circuits.access(access) }),
    ...own,
  } as T
}

async function openS3(
  { bucket, prefix }: BucketLocation,
  uri: string,
  options: StoreOptions,
): Promise<Store> {
  // The SDK takes a quarter of a second to load, so it is loaded only for S3.
  const { S3Store } = await import('../s3/s3.ts')
  const store = new S3Store(bucket, prefix, requestOptionsFor(options.s3, circuitNamesOf(uri), options), uri)
  if (options.s3?.logStore !== 'dynamodb') return store
  const [{ DynamoLogStore }, { DynamoEntries }] = await Promise.all([
    import('../dynamodb/dynamodb-log.ts'),
    import('../dynamodb/dynamodb-entries.ts'),
  ])
  const dynamo = dynamoOptions(options)
  const circuit = `dynamodb://${dynamo.table ?? 'delta_log'}`
  return new DynamoLogStore(
    store,
    new DynamoEntries(requestOptionsFor(dynamo, { server: circuit, access: circuit }, options)),
  )
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

async function openAzure(
  { container, host, prefix }: AzureLocation,
  uri: string,
  options: StoreOptions,
): Promise<Store> {
  const [{ AzureStore }, { containerClient }] = await Promise.all([
    import('../azure/azure.ts'),
    import('../azure/azure-client.ts'),
  ])
  const place = host === undefined ? { container } : { container, host }
  const client = await containerClient(place, options.azure ?? {})
  return new AzureStore(client, prefix, uri, requestOptionsFor(options.azure, circuitNamesOf(uri), options))
}

async function openGcs(
  { bucket, prefix }: BucketLocation,
  uri: string,
  options: StoreOptions,
): Promise<Store> {
  const { GcsStore } = await import('../gcs/gcs.ts')
  return new GcsStore(bucket, prefix, requestOptionsFor(options.gcs, circuitNamesOf(uri), options), uri)
}
