import {
  BlobServiceClient,
  StorageSharedKeyCredential,
  type ContainerClient,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { AzureAccess } from './azure-options.ts'
import { BLOCKED_ACCESSES, certificateBlockOf, type BlockedAccess } from '../blocked-access.ts'
import { errorCodeOf, isTransient, type StoreDialect, type StoreFailure } from '../requests.ts'

/** Describes the location of a table in Azure. */
export interface AzureLocation {
  readonly container: string
  /** Host of the account from `abfss://container@host/…`, such as `lake.dfs.core.windows.net`. */
  readonly host?: string
}

/** The retries of the SDK are off, as `Requests` requires. */
const OPTIONS: StoragePipelineOptions = { retryOptions: { maxTries: 1 } }

/**
 * Creates the client of one container. No request is sent yet.
 * @throws KD_CONFIG_INVALID if account or credentials are missing or unusable; messages contain no secrets
 */
export async function containerClient(place: AzureLocation, access: AzureAccess): Promise<ContainerClient> {
  const service = await serviceClient(place, access)
  return service.getContainerClient(place.container)
}

async function serviceClient(place: AzureLocation, access: AzureAccess): Promise<BlobServiceClient> {
  const { accountKey, sasToken, connectionString } = access
  if (connectionString !== undefined) {
    try {
      return BlobServiceClient.fromConnectionString(connectionString, OPTIONS)
    } catch {
      // The message of the SDK may contain a part of it.
      throw new PipelineError(
        'KD_CONFIG_INVALID',
        'storage.azure.connectionString is not a valid connection string',
      )
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

/** Returns the account from the URI or the options, which must agree; only a custom endpoint needs no account. */
function accountOf(place: AzureLocation, access: AzureAccess): string | undefined {
  const named = place.host?.split('.')[0]
  const account = access.accountName ?? named
  const hasEndpoint = access.endpoint !== undefined
  if (account === undefined && (!hasEndpoint || access.accountKey !== undefined))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected the storage account, in `abfss://container@account.dfs.core.windows.net/path` or as storage.azure.accountName',
    )
  if (account !== undefined && !/^[a-z0-9-]{3,63}$/.test(account))
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'the name of the storage account must have 3 to 63 lower-case letters, digits and hyphens',
    )
  if (named !== undefined && account !== named && !hasEndpoint)
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      `storage.azure.accountName is ${String(account)}, but the table is in the account ${named}`,
    )
  return account
}

/** Returns the Blob Storage host of an account; URIs contain its Data Lake Storage host. */
function blobHostOf(host: string): string {
  return host.replace(/^([^.]+)\.dfs\./, '$1.blob.')
}

/** Declares the part of `@azure/identity` that the SDK uses. */
interface Identity {
  getToken(scopes: string | string[]): Promise<{ token: string; expiresOnTimestamp: number } | null>
}

/** Loads `@azure/identity` (managed and workload identities, Azure CLI): 50 MB, installed only by users who need it. */
async function identity(): Promise<Identity> {
  const name = '@azure/identity'
  try {
    const { DefaultAzureCredential } = (await import(name)) as { DefaultAzureCredential: new () => Identity }
    return new DefaultAzureCredential()
  } catch (error) {
    throw new PipelineError(
      'KD_CONFIG_INVALID',
      'expected one of storage.azure.accountKey, sasToken and connectionString; to log in with an identity, install @azure/identity',
      {},
      { cause: error },
    )
  }
}

/** Names the span attributes of Azure and classifies the errors of its SDK. */
export const AZURE_DIALECT: StoreDialect = {
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

/** Returns the HTTP status of an error of the SDK; `undefined` without a response. */
export function azureStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

/** Returns Azure's code of an error, such as `BlobNotFound`; a response without a body has it only in a header. */
export function azureErrorCodeOf(error: unknown): string | undefined {
  const code = errorCodeOf(error)
  if (code !== undefined || !(error instanceof Error) || !('details' in error)) return code
  const { details } = error
  if (typeof details !== 'object' || details === null || !('errorCode' in details)) return undefined
  return typeof details.errorCode === 'string' ? details.errorCode : undefined
}

/** Names and codes of SDK errors for requests that could not be sent or timed out. */
const TRANSIENT_NAMES = new Set(['AbortError', 'TimeoutError', 'REQUEST_SEND_ERROR', 'PARSE_ERROR'])

function failureOf(error: unknown): StoreFailure {
  const status = azureStatusOf(error)
  const code = azureErrorCodeOf(error)
  const name = error instanceof Error ? error.name : undefined
  // Only the first line: the others are ids and dates. It may contain links with a signature.
  const message = (messageOf(error).split('\n')[0] ?? '').replace(/\bsig=[^&\s"']+/gi, 'sig=[secret]')
  const detail = [code, message].filter((part) => part !== undefined && part !== '').join(': ')
  if (status === 404 && code !== 'ContainerNotFound' && code !== 'ResourceNotFound')
    return { code: 'KD_STORE_NOT_FOUND', detail, status }
  const blocked = blockedBy(name, status, code)
  const mayPass = isTransient(status, code) || (status === undefined && isTransientName(name, code))
  if (mayPass && blocked === undefined) return { code: 'KD_STORE_UNAVAILABLE', detail, status }
  return { code: 'KD_STORE_FAILED', detail, status, blocked }
}

/** Names of errors of `@azure/identity`, which have no response of the store. */
const LOGIN_NAMES = new Set([
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
  'CredentialUnavailableError',
])

function blockedBy(
  name: string | undefined,
  status: number | undefined,
  code: string | undefined,
): BlockedAccess | undefined {
  if (LOGIN_NAMES.has(name ?? '') || status === 401 || code === 'AuthenticationFailed')
    return BLOCKED_ACCESSES.credentials
  if (code === 'ContainerNotFound' || code === 'ContainerBeingDeleted' || code === 'ContainerDisabled')
    return BLOCKED_ACCESSES.bucket
  if (status === 403) return BLOCKED_ACCESSES.permission
  return status === undefined ? certificateBlockOf(code) : undefined
}

function isTransientName(name: string | undefined, code: string | undefined): boolean {
  return TRANSIENT_NAMES.has(name ?? '') || TRANSIENT_NAMES.has(code ?? '')
}
