import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { GcsStore } from '../../../src/storage/gcs/gcs.ts'
import type { GcsStoreOptions } from '../../../src/storage/gcs/gcs-options.ts'
import { storeContract } from '../../contracts/store.ts'
import {
  scriptedServer,
  type ScriptedAnswer,
  type ScriptedRequest,
} from '../../support/network/scripted-http.ts'
import { gcsForTests } from '../../support/servers/servers.ts'

const MIB = 1024 * 1024
const ATTEMPTS_MAX = 4

const server = await gcsForTests()
if (server !== undefined) {
  const { endpoint, bucket } = server
  storeContract({
    name: 'The Google store',
    open: (root) =>
      Promise.resolve(new GcsStore(bucket, root, { endpoint, anonymous: true, multipartBytesMin: 9 * MIB })),
    multipartBytes: 21 * MIB + 5,
  })

  test('A bucket that does not exist in Google is an error and not an empty store', async () => {
    const store = new GcsStore('no-such-bucket', 'a', { endpoint, anonymous: true })
    const missing = { code: 'KD_STORE_FAILED' }
    await assert.rejects(store.list('').next(), missing)
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), missing)
    await assert.rejects(store.put('a', Buffer.from('x')), missing)
  })
}

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

async function scripted(
  script: (request: ScriptedRequest, index: number) => ScriptedAnswer,
  more: GcsStoreOptions = {},
): Promise<{ store: GcsStore; requests: readonly ScriptedRequest[] }> {
  const http = await scriptedServer(script)
  stops.push(() => http.stop())
  const retryPolicy = { attemptsMax: ATTEMPTS_MAX, minBackoffMs: 1, maxBackoffMs: 2 }
  const store = new GcsStore('lake', 'table', {
    endpoint: http.endpoint,
    anonymous: true,
    retryPolicy,
    ...more,
  })
  return { store, requests: http.requests }
}

function refusal(status: number, reason: string, message = 'no'): ScriptedAnswer {
  const body = JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } })
  return { status, headers: { 'content-type': 'application/json' }, body }
}

const UNAVAILABLE = refusal(503, 'backendError')

for (const [what, answer, outcome] of [
  ['200', { status: 200, body: '{}' }, 'created'],
  ['412', refusal(412, 'conditionNotMet'), 'exists'],
  ['409', refusal(409, 'conflict'), 'unknown'],
  ['500', refusal(500, 'internalError'), 'unknown'],
  ['503', UNAVAILABLE, 'unknown'],
  ['429', refusal(429, 'rateLimitExceeded'), 'unknown'],
  ['a cut connection', 'cut', 'unknown'],
  ['silence', 'silence', 'unknown'],
] as const satisfies readonly (readonly [string, ScriptedAnswer, string])[]) {
  test(`A conditional put at Google that meets ${what} is ${outcome}, after one request`, async () => {
    const retryPolicy = {
      attemptsMax: ATTEMPTS_MAX,
      minBackoffMs: 1,
      maxBackoffMs: 2,
      attemptTimeoutMs: 1000,
    }
    // A second request would find our own object, which must not count as the object of another writer.
    const { store, requests } = await scripted(
      (_, index) => (index === 0 ? answer : refusal(412, 'conditionNotMet')),
      { retryPolicy },
    )
    assert.equal(await store.putIfAbsent('_delta_log/0 1.json', Buffer.from('{}')), outcome)
    assert.equal(requests.length, 1)
    const url = new URL(requests[0]?.url ?? '', 'http://host')
    assert.equal(url.pathname, '/upload/storage/v1/b/lake/o')
    assert.equal(url.searchParams.get('ifGenerationMatch'), '0')
    assert.equal(url.searchParams.get('name'), 'table/_delta_log/0 1.json')
    assert.equal(requests[0]?.body.toString(), '{}')
    assert.equal(requests[0].headers.authorization, undefined)
  })
}

test('A request that never succeeds fails after the maximum attempts', async () => {
  const { store, requests } = await scripted(() => UNAVAILABLE)
  await assert.rejects(store.get('a'), {
    code: 'KD_STORE_UNAVAILABLE',
    message: /backendError.*operation objects\.get, bucket lake, key table\/a, status 503, attempts 4/,
  })
  assert.equal(requests.length, ATTEMPTS_MAX)
})

test('A failed put is retried until it succeeds; a refused put is not', async () => {
  const passing = await scripted(
    (_, index) => [UNAVAILABLE, 'cut' as const][index] ?? { status: 200, body: '{}' },
  )
  await passing.store.put('a', Buffer.from('body'))
  assert.equal(passing.requests.length, 3)
  assert.equal(passing.requests[2]?.body.toString(), 'body')
  assert.equal(passing.requests[2].url.includes('ifGenerationMatch'), false)
  const refused = await scripted(() => refusal(403, 'forbidden'))
  await assert.rejects(refused.store.put('a', Buffer.from('body')), { code: 'KD_STORE_FAILED' })
  assert.equal(refused.requests.length, 1)
})

test('A body that is cut off is read again, and a server that ignores the range gets one request', async () => {
  const headers = { 'content-length': '10' }
  const cut = await scripted((_, index) =>
    index === 0 ? { cutAfter: 'half', headers } : { status: 200, headers, body: '0123456789' },
  )
  assert.equal(Buffer.from(await cut.store.get('a')).toString(), '0123456789')
  assert.equal(cut.requests.length, 2)
  const whole = await scripted(() => ({ status: 200, body: '0123456789' }))
  assert.equal(Buffer.from(await whole.store.get('a', { start: 2, end: 5 })).toString(), '234')
})

function page(keys: readonly string[], nextPageToken?: string): ScriptedAnswer {
  const items = keys.map((key) => ({ name: `table/${key}`, size: '1', updated: '2026-11-22T00:00:00Z' }))
  return { status: 200, body: JSON.stringify({ items, nextPageToken }) }
}

async function keysOf(store: GcsStore, startAfter?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('', startAfter)) keys.push(key)
  return keys
}

test('A listing begins after its key, reads page by page, also empty ones, and continues after a failed page', async () => {
  const { store, requests } = await scripted(
    (_, index) => [page(['a', 'b'], 'two'), UNAVAILABLE, page([], 'three')][index] ?? page(['c']),
  )
  assert.deepEqual(await keysOf(store, 'a'), ['b', 'c'])
  assert.match(requests[0]?.url ?? '', /prefix=table%2F.*startOffset=table%2Fa/)
  assert.match(requests[2]?.url ?? '', /pageToken=two/)
  assert.match(requests[3]?.url ?? '', /pageToken=three/)
})

test('A listing out of byte order, or one that begins too early, is refused', async () => {
  const disorder = { code: 'KD_STORE_FAILED', message: /byte order/ }
  const paging = await scripted((_, index) => (index === 0 ? page(['b', 'c'], 'two') : page(['a'])))
  await assert.rejects(keysOf(paging.store), disorder)
  const starting = await scripted(() => page(['a', 'c']))
  await assert.rejects(keysOf(starting.store, 'b'), disorder)
})

/** Starts a server that stores one resumable upload; `special` may answer a part first, once its first bytes are stored. */
function uploads(special: (part: ScriptedRequest, count: number) => { kept: number } | undefined) {
  const kept: Buffer[] = []
  let count = 0
  const answer = (request: ScriptedRequest): ScriptedAnswer => {
    if (request.method === 'POST')
      return { status: 200, headers: { location: `http://${String(request.headers.host)}/session` } }
    if (request.method === 'DELETE') return { status: 499 }
    const whole = () => Buffer.concat(kept).length
    const [, range = '', total = ''] = /^bytes (.+)\/(.+)$/.exec(request.headers['content-range'] ?? '') ?? []
    const failing = special(request, count++)
    if (range !== '*') {
      assert.equal(Number(range.split('-')[0]), whole(), 'a part begins where the last ended')
      kept.push(request.body.subarray(0, failing?.kept ?? request.body.length))
    }
    if (failing !== undefined) return 'cut'
    if (String(whole()) === total) return { status: 200, body: '{}' }
    return { status: 308, headers: whole() === 0 ? {} : { range: `bytes=0-${whole() - 1}` } }
  }
  return { answer, whole: () => Buffer.concat(kept) }
}

for (const [what, kept] of [
  ['was lost', 0],
  ['arrived in part', 3 * MIB],
  ['arrived, though its answer did not,', 8 * MIB],
] as const)
  test(`An upload continues where the server stopped when a part of it ${what}`, async () => {
    const { answer, whole } = uploads((_, count) => (count === 1 ? { kept } : undefined))
    const { store } = await scripted(answer)
    const body = Buffer.alloc(20 * MIB + 7, 'abc')
    assert.deepEqual(await store.put('a', body), { bytes: body.length })
    assert.ok(whole().equals(body))
  })

test('An upload whose end has arrived although the response was lost is complete', async () => {
  const { answer, whole } = uploads((_, count) => (count === 2 ? { kept: 8 * MIB } : undefined))
  const { store } = await scripted(answer)
  const body = Buffer.alloc(24 * MIB, 'abc')
  assert.deepEqual(await store.put('a', body), { bytes: body.length })
  assert.ok(whole().equals(body))
})

test('An upload whose body fails is cancelled, and the error of the body is thrown', async () => {
  const { answer } = uploads(() => undefined)
  const { store, requests } = await scripted(answer)
  const failing = (async function* () {
    for (let chunk = 0; chunk < 40; chunk++) yield await Promise.resolve(Buffer.alloc(MIB))
    throw new Error('the producer failed')
  })()
  await assert.rejects(store.put('a', failing), /the producer failed/)
  assert.equal(requests.at(-1)?.method, 'DELETE')
})

test('A workload logs in with its own token, and errors contain neither token nor credentials', async () => {
  const json = { 'content-type': 'application/json' }
  const tokens = await scriptedServer(() => ({ status: 200, headers: json, body: TOKEN }))
  stops.push(() => tokens.stop())
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-gcs-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  const subject = join(folder, 'subject')
  await writeFile(subject, 'very-secret')
  const keyFile = join(folder, 'workload.json')
  const workload = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${tokens.endpoint}/token`,
    credential_source: { file: subject },
  }
  await writeFile(keyFile, JSON.stringify(workload))
  const { store, requests } = await scripted(
    (_, index) => (index === 0 ? { status: 200, body: 'x' } : refusal(403, 'forbidden')),
    { anonymous: false, keyFile },
  )
  await store.get('a')
  assert.equal(requests[0]?.headers.authorization, 'Bearer very-secret-token')
  await assert.rejects(store.get('a'), (error: unknown) => {
    assert.ok(error instanceof Error)
    assert.equal([error.message, error.stack, JSON.stringify(error)].join().includes('very-secret'), false)
    return true
  })
})

const TOKEN =
  '{"access_token":"very-secret-token","expires_in":3600,"token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}'

test('A missing key file is refused before a request is sent', async () => {
  const { store, requests } = await scripted(() => ({ status: 200 }), {
    anonymous: false,
    keyFile: '/no/such/key.json',
  })
  await assert.rejects(store.get('a'), { code: 'KD_STORE_FAILED', message: /key\.json/ })
  assert.equal(requests.length, 0)
})
