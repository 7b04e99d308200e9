import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { AzureAccess, AzureStoreOptions } from '../../../src/storage/azure/azure-options.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { storeContract } from '../../contracts/store.ts'
import type { AzureAddress } from '../../support/servers/emulators.ts'
import {
  scriptedServer,
  type ScriptedAnswer,
  type ScriptedRequest,
} from '../../support/network/scripted-http.ts'
import { azureForTests, nameForTests } from '../../support/servers/servers.ts'

const MIB = 1024 * 1024
const ATTEMPTS_MAX = 4

let address: AzureAddress
before(async () => {
  address = await azureForTests()
})

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

function open(root: string, access: AzureAccess & AzureStoreOptions = {}): Promise<Store> {
  const { endpoint, accountName, accountKey } = address
  return openStore(`az://${address.container}/${root}`, {
    azure: { endpoint, accountName, accountKey, ...access },
  })
}

storeContract({
  name: 'The Azure store',
  open: async (root) => {
    address = await azureForTests()
    return open(root, { multipartBytesMin: 9 * MIB })
  },
  multipartBytes: 21 * MIB + 5,
  hasBackslash: false,
})

test('A key with a backslash is refused, since Azure would store it under another name', async () => {
  const store = await open(nameForTests('backslash'))
  await assert.rejects(store.put('a\\b', Buffer.from('x')), { code: 'KD_STORE_FAILED', message: /backslash/ })
})

test('A connection string and a URI with the account lead to the same objects', async () => {
  const root = nameForTests('ways')
  await (await open(root)).put('a', Buffer.from('x'))
  const { endpoint, accountName, accountKey, container } = address
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${accountName};AccountKey=${accountKey};BlobEndpoint=${endpoint};`
  const byString = await openStore(`azure://${container}/${root}`, { azure: { connectionString } })
  assert.equal(await byString.size('a'), 1)
  const uri = `abfss://${container}@${accountName}.dfs.core.windows.net/${root}`
  const byUri = await openStore(uri, { azure: { endpoint, accountKey } })
  assert.equal(await byUri.size('a'), 1)
  assert.equal(byUri.uri, uri)
})

test('A shared access signature opens the container and is in no error', async () => {
  const { generateBlobSASQueryParameters, ContainerSASPermissions, StorageSharedKeyCredential } =
    await import('@azure/storage-blob')
  const { endpoint, accountName, accountKey, container } = address
  const permissions = ContainerSASPermissions.parse('rl')
  const expiresOn = new Date(Date.now() + 3_600_000)
  const sasToken = generateBlobSASQueryParameters(
    { containerName: container, permissions, expiresOn },
    new StorageSharedKeyCredential(accountName, accountKey),
  ).toString()
  const root = nameForTests('sas')
  await (await open(root)).put('a', Buffer.from('x'))
  const store = await openStore(`az://${container}/${root}`, { azure: { endpoint, sasToken } })
  assert.equal(await store.size('a'), 1)
  await assert.rejects(store.put('a', Buffer.from('y')), (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'KD_STORE_FAILED')
    const signature = new URLSearchParams(sasToken).get('sig') ?? ''
    const shown = [error.message, error.stack, JSON.stringify(error)].join()
    for (const secret of [signature, encodeURIComponent(signature)])
      assert.equal(shown.includes(secret), false)
    return true
  })
})

test('A wrong key is refused immediately, and no secret is in the error', async () => {
  const accountKey = randomBytes(64).toString('base64')
  const store = await open(nameForTests('wrong-key'), { accountKey })
  for (const request of [
    () => store.get('a'),
    () => store.put('a', Buffer.from('x')),
    () => store.putIfAbsent('a', Buffer.from('x')),
    () => store.size('a'),
    () => store.delete('a'),
  ]) {
    await assert.rejects(request, (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'KD_STORE_FAILED')
      for (const secret of [accountKey, address.accountKey])
        assert.equal(JSON.stringify([error, error.message, error.stack, error.cause]).includes(secret), false)
      return true
    })
  }
})

test('A container that does not exist is an error and not an empty store', async () => {
  const store = await openStore('az://no-such-container/a', { azure: address })
  for (const request of [
    () => store.get('a'),
    () => store.size('a'),
    () => store.list('')[Symbol.asyncIterator]().next(),
    () => store.putIfAbsent('a', Buffer.from('x')),
    () => store.put('a', Buffer.from('x')),
  ])
    await assert.rejects(request, {
      code: 'KD_STORE_FAILED',
      message: /ContainerNotFound.*no-such-container/,
    })
})

test('Without an account, or with two, a store is not opened', async () => {
  const invalid = { code: 'KD_CONFIG_INVALID' }
  await assert.rejects(openStore('az://lake/a', { azure: { accountKey: 'eA==' } }), invalid)
  await assert.rejects(
    openStore('abfss://lake@one.dfs.core.windows.net/a', {
      azure: { accountName: 'two', accountKey: 'eA==' },
    }),
    { ...invalid, message: /two.*one/ },
  )
  await assert.rejects(
    openStore('az://lake/a', { azure: { connectionString: 'AccountKey=very-secret' } }),
    (error: Error) => !error.message.includes('very-secret'),
  )
})

async function scripted(
  script: (request: ScriptedRequest, index: number) => ScriptedAnswer,
  attemptTimeoutMs = 60_000,
): Promise<{ store: Store; requests: readonly ScriptedRequest[] }> {
  const server = await scriptedServer(script)
  stops.push(() => server.stop())
  const retryPolicy = { attemptsMax: ATTEMPTS_MAX, minBackoffMs: 1, maxBackoffMs: 2, attemptTimeoutMs }
  const access = { endpoint: `${server.endpoint}/lake`, accountName: 'lake', accountKey: 'c2VjcmV0' }
  const store = await openStore('az://tables/table', { azure: { ...access, retryPolicy } })
  return { store, requests: server.requests }
}

function refusal(status: number, code: string): ScriptedAnswer {
  const headers = { 'content-type': 'application/xml', 'x-ms-error-code': code }
  return { status, headers, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` }
}

const UNAVAILABLE = refusal(503, 'ServerBusy')

for (const [what, answer, outcome] of [
  ['201', { status: 201 }, 'created'],
  ['409 BlobAlreadyExists', refusal(409, 'BlobAlreadyExists'), 'exists'],
  ['412', refusal(412, 'ConditionNotMet'), 'exists'],
  ['another 409', refusal(409, 'OperationNotAllowed'), 'unknown'],
  ['500', refusal(500, 'InternalError'), 'unknown'],
  ['503', UNAVAILABLE, 'unknown'],
  ['429', refusal(429, 'TooManyRequests'), 'unknown'],
  ['a cut connection', 'cut', 'unknown'],
  ['silence', 'silence', 'unknown'],
] as const satisfies readonly (readonly [string, ScriptedAnswer, string])[]) {
  test(`A conditional put that meets ${what} is ${outcome}, after one request`, async () => {
    // A second request would find our own object, which must not count as the object of another writer.
    const { store, requests } = await scripted(
      (_, index) => (index === 0 ? answer : refusal(409, 'BlobAlreadyExists')),
      1000,
    )
    assert.equal(await store.putIfAbsent('_delta_log/0.json', Buffer.from('{}')), outcome)
    assert.equal(requests.length, 1)
    assert.equal(requests[0]?.headers['if-none-match'], '*')
    assert.equal(requests[0].url.split('?')[0], '/lake/tables/table/_delta_log/0.json')
    assert.equal(requests[0].body.toString(), '{}')
  })
}

test('A request that never succeeds fails after the maximum attempts', async () => {
  const { store, requests } = await scripted(() => UNAVAILABLE)
  await assert.rejects(store.get('a'), {
    code: 'KD_STORE_UNAVAILABLE',
    message: /ServerBusy.*status 503, attempts 4/,
  })
  assert.equal(requests.length, ATTEMPTS_MAX)
})

test('A failed put is retried until it succeeds; a refused put is not', async () => {
  const passing = await scripted((_, index) => [UNAVAILABLE, 'cut' as const][index] ?? { status: 201 })
  await passing.store.put('a', Buffer.from('body'))
  assert.equal(passing.requests.length, 3)
  assert.equal(passing.requests[2]?.body.toString(), 'body')
  const refused = await scripted(() => refusal(403, 'AuthorizationFailure'))
  await assert.rejects(refused.store.put('a', Buffer.from('body')), {
    code: 'KD_STORE_FAILED',
    message: /AuthorizationFailure.*operation PutBlob, container tables, key table\/a, status 403/,
  })
  assert.equal(refused.requests.length, 1)
})

test('A body that is cut off is read again', async () => {
  const headers = { 'content-length': '10', 'last-modified': new Date(0).toUTCString(), etag: '"1"' }
  const { store, requests } = await scripted((_, index) =>
    index === 0 ? { cutAfter: 'half', headers } : { status: 200, headers, body: '0123456789' },
  )
  assert.equal(Buffer.from(await store.get('a')).toString(), '0123456789')
  assert.equal(requests.length, 2)
})

/** Creates a page of a listing; a name with a trailing slash is a folder of a hierarchical namespace. */
function page(keys: readonly string[], marker = ''): ScriptedAnswer {
  const blobs = keys.map((key) => {
    const metadata = key.endsWith('/')
      ? '<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>'
      : '<Metadata />'
    const properties =
      '<Properties><Content-Length>1</Content-Length><Last-Modified>Sun, 22 Nov 2026 00:00:00 GMT</Last-Modified></Properties>'
    return `<Blob><Name>table/${key.replace(/\/$/, '')}</Name>${properties}${metadata}</Blob>`
  })
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><EnumerationResults><Blobs>${blobs.join('')}</Blobs><NextMarker>${marker}</NextMarker></EnumerationResults>`,
  }
}

async function keysOf(store: Store, startAfter?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('', startAfter)) keys.push(key)
  return keys
}

test('A listing reads page after page, skips earlier keys, and continues after a failed page', async () => {
  const { store, requests } = await scripted(
    (_, index) => [page(['a', 'b'], 'two'), UNAVAILABLE, page(['c', 'd'], 'three')][index] ?? page(['e']),
  )
  assert.deepEqual(await keysOf(store, 'c'), ['d', 'e'])
  assert.match(requests[0]?.url ?? '', /prefix=table%2F/)
  assert.match(requests[0]?.url ?? '', /maxresults=5000/)
  assert.match(requests[2]?.url ?? '', /marker=two/)
  assert.match(requests[3]?.url ?? '', /marker=three/)
})

test('Folders of a hierarchical namespace are not objects', async () => {
  const { store } = await scripted(() => page(['a/', 'a/b', 'c']))
  assert.deepEqual(await keysOf(store), ['a/b', 'c'])
})

test('A server that does not list in byte order is refused', async () => {
  const { store } = await scripted((_, index) => (index === 0 ? page(['b', 'c'], 'two') : page(['a'])))
  await assert.rejects(keysOf(store), { code: 'KD_STORE_FAILED', message: /byte order/ })
})

test('A long stream has at most four blocks under way, and its block list is sent again when lost', async () => {
  let produced = 0
  let sent = 0
  let aheadMax = 0
  let lists = 0
  const { store, requests } = await scripted((request) => {
    if (request.url.includes('comp=blocklist')) return lists++ === 0 ? 'cut' : { status: 201 }
    sent += request.body.length
    return { status: 201 }
  })
  const long = (async function* () {
    for (let chunk = 0; chunk < 60; chunk++) {
      produced += MIB
      aheadMax = Math.max(aheadMax, produced - sent)
      yield await Promise.resolve(Buffer.alloc(MIB))
    }
  })()
  assert.deepEqual(await store.put('a', long), { bytes: 60 * MIB })
  assert.ok(aheadMax <= 41 * MIB, `${aheadMax} bytes were held`)
  assert.equal(lists, 2)
  assert.equal(requests.filter(({ url }) => url.includes('comp=block&')).length, 8)
  assert.equal(
    (
      requests
        .at(-1)
        ?.body.toString()
        .match(/<Latest>/g) ?? []
    ).length,
    8,
  )
})
