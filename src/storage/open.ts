import { fileURLToPath } from 'node:url'
import { PipelineError } from '../core/errors.ts'
import type { AzureAccess, AzureStoreOptions } from './azure-options.ts'
import type { DynamoOptions } from './dynamodb-entries.ts'
import type { GcsStoreOptions } from './gcs-options.ts'
import { LocalStore } from './local.ts'
import { MemoryStore } from './memory.ts'
import type { S3StoreOptions } from './s3.ts'
import type { Store } from './store.ts'

/** Options by kind of store; those of the kind that a URI names are used. */
export interface StoreOptions {
  /** With `logStore` `dynamodb` commits are agreed upon in a table of DynamoDB, else in the bucket itself. */
  readonly s3?: S3StoreOptions & { readonly logStore?: 's3' | 'dynamodb' }
  /** What is absent of region and keys is that of `s3`. */
  readonly dynamodb?: DynamoOptions
  readonly azure?: AzureAccess & AzureStoreOptions
  readonly gcs?: GcsStoreOptions
}

type Opener = (uri: string, options: StoreOptions) => Store | Promise<Store>

/** Everything that a URI may begin with. A new store is a file and a line here. */
const SCHEMES: Readonly<Record<string, Opener>> = {
  'file:': (uri) => new LocalStore(folderOf(uri), uri),
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
 * Opens the store whose root is at `uri`: `s3://bucket/prefix` (or `s3a://`),
 * `abfss://container@account.dfs.core.windows.net/prefix` (or `abfs://`), `az://container/prefix` (or `azure://`),
 * `gs://bucket/prefix`, `file:///folder`, `memory:name`, or a path. Nothing is sent or created yet.
 * @throws KD_CONFIG_INVALID for a scheme that nobody serves, or a URI without a bucket.
 */
export async function openStore(uri: string, options: StoreOptions = {}): Promise<Store> {
  if (uri === '') throw new PipelineError('KD_CONFIG_INVALID', 'the URI of a store is empty')
  const scheme = /^(?:[a-z][a-z0-9+.-]+:(?=\/\/)|(?:memory|file):)/i.exec(uri)?.[0].toLowerCase()
  if (scheme === undefined) return new LocalStore(uri)
  const open = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (open === undefined)
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `expected a path or a URI that begins with ${Object.keys(SCHEMES).join(', ')}, got ${scheme}`,
    )
  return open(uri, options)
}

async function openS3(uri: string, options: StoreOptions): Promise<Store> {
  const match = /^s3a?:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/i.exec(uri)
  const bucket = match?.[1]
  // The URI is not repeated: what does not look like a bucket may be a key and its secret.
  if (bucket === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'expected `s3://bucket/prefix` with a plain bucket name')
  const prefix = (match?.[2] ?? '').replace(/^\/+|\/+$/g, '')
  // The SDK takes a quarter of a second to load: only who stores in S3 pays for it.
  const { S3Store } = await import('./s3.ts')
  const store = new S3Store(bucket, prefix, options.s3, uri)
  if (options.s3?.logStore !== 'dynamodb') return store
  const [{ DynamoLogStore }, { DynamoEntries }] = await Promise.all([
    import('./dynamodb-log.ts'),
    import('./dynamodb-entries.ts'),
  ])
  return new DynamoLogStore(store, new DynamoEntries(dynamoOptions(options)))
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
  // As with S3 the URI is not repeated; a signature in it would be part of every key.
  if (container === undefined || /[?&]sig=/i.test(path))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected `abfss://container@account.dfs.core.windows.net/prefix` or `az://container/prefix`, without a signature',
    )
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const [{ AzureStore }, { containerClient }] = await Promise.all([
    import('./azure.ts'),
    import('./azure-client.ts'),
  ])
  const place = host === undefined ? { container } : { container, host }
  return new AzureStore(await containerClient(place, options.azure ?? {}), prefix, uri, options.azure)
}

async function openGcs(uri: string, options: StoreOptions): Promise<Store> {
  const match = /^gs:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/i.exec(uri)
  const bucket = match?.[1]
  if (bucket === undefined)
    throw new PipelineError('KD_CONFIG_INVALID', 'expected `gs://bucket/prefix` with a plain bucket name')
  const prefix = (match?.[2] ?? '').replace(/^\/+|\/+$/g, '')
  const { GcsStore } = await import('./gcs.ts')
  return new GcsStore(bucket, prefix, options.gcs, uri)
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
