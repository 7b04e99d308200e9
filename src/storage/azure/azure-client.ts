import {
  BlobServiceClient,
  StorageSharedKeyCredential,
  type ContainerClient,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { AzureAccess } from './azure-options.ts'
import { codeOf, isPassing, type Dialect, type Failure } from '../requests.ts'

/** Where a table lies in Azure. */
export interface AzurePlace {
  readonly container: string
  /** Host of the account as `abfss://container@host/…` names it, such as `lake.dfs.core.windows.net`. */
  readonly host?: string
}

/** The retries of the SDK are off: see `Requests`. */
const OPTIONS: StoragePipelineOptions = { retryOptions: { maxTries: 1 } }

/**
 * A client of one container. Nothing is sent yet.
 * @throws KD_CONFIG_INVALID where account or credentials are missing or unusable; secrets are not repeated.
 */
export async function containerClient(place: AzurePlace, access: AzureAccess): Promise<ContainerClient> {
  const service = await serviceClient(place, access)
  return service.getContainerClient(place.container)
}

async function serviceClient(place: AzurePlace, access: AzureAccess): Promise<BlobServiceClient> {
  const { accountKey, sasToken, connectionString } = access
  if (connectionString !== undefined) {
    try {
      return BlobServiceClient.fromConnectionString(connectionString, OPTIONS)
    } catch {
      // The SDK's message may repeat a part of it.
      throw new PipelineError('KD_CONFIG_INVALID', 'storage.azure.connectionString is no connection string')
    }
  }
  const accountName = accountOf(place, access)
  const url =
    access.endpoint ?? `https://${blobHostOf(place.host ?? `${accountName ?? ''}.blob.core.windows.net`)}`
  if (accountKey !== undefined) {
    const credential = new StorageSharedKeyCredential(accountName ?? '', accountKey)
    return new BlobServiceClient(url, credential, OPTIONS)
  }
  if (sasToken !== undefined)
    return new BlobServiceClient(`${url}?${sasToken.replace(/^\?/, '')}`, undefined, OPTIONS)
  return new BlobServiceClient(url, await identity(), OPTIONS)
}

/** The account by the URI and by the options, which must agree; only a server that is no account's needs none. */
function accountOf(place: AzurePlace, access: AzureAccess): string | undefined {
  const named = place.host?.split('.')[0]
  const account = access.accountName ?? named
  const isOwn = access.endpoint !== undefined
  if (account === undefined && (!isOwn || access.accountKey !== undefined))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected the storage account, in `abfss://container@account.dfs.core.windows.net/path` or as storage.azure.accountName',
    )
  if (account !== undefined && !/^[a-z0-9-]{3,63}$/.test(account))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'the name of the storage account has characters that none has',
    )
  if (named !== undefined && account !== named && !isOwn)
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `storage.azure.accountName is ${String(account)}, but the table lies in the account ${named}`,
    )
  return account
}

/** The same account answers under two names: the one of Data Lake Storage stands in URIs, the other takes blobs. */
function blobHostOf(host: string): string {
  return host.replace(/^([^.]+)\.dfs\./, '$1.blob.')
}

/** What `@azure/identity` gives, as the SDK takes it. */
interface Identity {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>
}

/** Managed and workload identities, the Azure CLI and the like: a package of 50 MB that only who logs in so installs. */
async function identity(): Promise<Identity> {
  const name = '@azure/identity'
  try {
    const { DefaultAzureCredential } = (await import(name)) as { DefaultAzureCredential: new () => Identity }
    return new DefaultAzureCredential()
  } catch (error) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected one of storage.azure.accountKey, sasToken and connectionString; to log in by an identity install @azure/identity',
      {},
      { cause: error },
    )
  }
}

/** How Azure names things, and what the errors of its SDK mean. */
export const AZURE_DIALECT: Dialect = {
  name: 'azure',
  bucket: 'container',
  attributesOf: ({ operation, bucket, key }) => ({
    'rpc.system': 'azure',
    'rpc.service': 'Blob',
    'rpc.method': operation,
    'kafka_delta.bucket': bucket,
    'kafka_delta.key': key,
  }),
  failureOf,
}

/** The HTTP status of an answer that the SDK threw as an error; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

/** Azure's own name of an error, such as `BlobNotFound`: of an answer without a body it stands in a header only. */
export function azureCodeOf(error: unknown): string | undefined {
  const code = codeOf(error)
  if (code !== undefined || !(error instanceof Error) || !('details' in error)) return code
  const { details } = error
  if (typeof details !== 'object' || details === null || !('errorCode' in details)) return undefined
  return typeof details.errorCode === 'string' ? details.errorCode : undefined
}

/** Requests that could not be sent or whose time was over, as the SDK names them. */
const PASSING_NAMES = new Set(['AbortError', 'TimeoutError', 'REQUEST_SEND_ERROR', 'PARSE_ERROR'])

function failureOf(error: unknown): Failure {
  const status = statusOf(error)
  const code = azureCodeOf(error)
  const name = error instanceof Error ? error.name : undefined
  // The first line only: what follows are ids and dates. Links with a signature may stand in it.
  const message = (messageOf(error).split('\n')[0] ?? '').replace(/\bsig=[^&\s"']+/gi, 'sig=[secret]')
  const detail = [code, message].filter((part) => part !== undefined && part !== '').join(': ')
  if (status === 404 && code !== 'ContainerNotFound' && code !== 'ResourceNotFound')
    return { code: 'KD_STORE_NOT_FOUND', detail, status }
  const passes = isPassing(status, code) || (status === undefined && isNamedPassing(name, code))
  return { code: passes ? 'KD_STORE_UNAVAILABLE' : 'KD_STORE_FAILED', detail, status }
}

function isNamedPassing(name: string | undefined, code: string | undefined): boolean {
  return PASSING_NAMES.has(name ?? '') || PASSING_NAMES.has(code ?? '')
}
