import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { S3Store } from '../../src/storage/s3/s3.ts'
import type { S3StoreOptions } from '../../src/storage/s3/s3-options.ts'
import {
  scriptedServer,
  type ScriptedAnswer,
  type ScriptedRequest,
} from '../support/network/scripted-http.ts'

const MIB = 1024 * 1024
const ATTEMPTS_MAX = 4
const UNAVAILABLE = { status: 503, body: '<Error><Code>SlowDown</Code><Message>slow down</Message></Error>' }
const XML = { 'content-type': 'application/xml' }

const stops: (() => Promise<unknown>)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

async function scripted(
  script: (request: ScriptedRequest, index: number) => ScriptedAnswer,
  more: S3StoreOptions = {},
): Promise<{ store: S3Store; requests: readonly ScriptedRequest[] }> {
  const server = await scriptedServer(script)
  const store = new S3Store('lake', 'table', {
    endpoint: server.endpoint,
    region: 'us-east-1',
    accessKeyId: 'key',
    secretAccessKey: 'very-secret',
    forcePathStyle: true,
    retryPolicy: { attemptsMax: ATTEMPTS_MAX, minBackoffMs: 1, maxBackoffMs: 2 },
    ...more,
  })
  stops.push(
    () => store.close(),
    () => server.stop(),
  )
  return { store, requests: server.requests }
}

function refusal(status: number, code: string): ScriptedAnswer {
  return { status, headers: XML, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` }
}

const OUTCOMES: readonly [string, ScriptedAnswer, string][] = [
  ['200', { status: 200 }, 'created'],
  ['412', refusal(412, 'PreconditionFailed'), 'exists'],
  ['409', refusal(409, 'ConditionalRequestConflict'), 'unknown'],
  ['500', refusal(500, 'InternalError'), 'unknown'],
  ['503', UNAVAILABLE, 'unknown'],
  ['429', refusal(429, 'TooManyRequests'), 'unknown'],
  ['a cut connection', 'cut', 'unknown'],
  ['silence', 'silence', 'unknown'],
]
for (const [what, answer, outcome] of OUTCOMES) {
  test(`A conditional put that meets ${what} is ${outcome}, after one request`, async () => {
    const retryPolicy = {
      attemptsMax: ATTEMPTS_MAX,
      minBackoffMs: 1,
      maxBackoffMs: 2,
      attemptTimeoutMs: 1000,
    }
    // A second request would get 412 for our own object, which must not count as the object of another writer.
    const { store, requests } = await scripted(
      (_, index) => (index === 0 ? answer : refusal(412, 'PreconditionFailed')),
      { retryPolicy },
    )
    assert.equal(await store.putIfAbsent('_delta_log/0.json', Buffer.from('{}')), outcome)
    assert.equal(requests.length, 1)
    const request = requests[0]
    assert.equal(request?.headers['if-none-match'], '*')
    assert.equal(request.url.split('?')[0], '/lake/table/_delta_log/0.json')
    assert.equal(request.body.toString(), '{}')
  })
}

for (const [status, code] of [
  [400, 'InvalidRequest'],
  [403, 'AccessDenied'],
  [404, 'NoSuchBucket'],
  [501, 'NotImplemented'],
] as const) {
  test(`A conditional put that is refused with ${status} ${code} fails permanently`, async () => {
    const { store, requests } = await scripted(() => refusal(status, code))
    await assert.rejects(store.putIfAbsent('a', Buffer.from('x')), {
      code: 'KD_STORE_FAILED',
      retryable: false,
      message: new RegExp(`${code}.*operation PutObject, bucket lake, key table/a, status ${status}`),
    })
    assert.equal(requests.length, 1)
  })
}

test('A failed put is retried until it succeeds', async () => {
  const { store, requests } = await scripted(
    (_, index) => [UNAVAILABLE, 'cut' as const][index] ?? { status: 200 },
  )
  await store.put('a', Buffer.from('body'))
  assert.equal(requests.length, 3)
  assert.equal(requests[2]?.body.toString(), 'body')
  assert.equal(requests[2].headers['if-none-match'], undefined)
})

test('A request that never succeeds fails after the maximum attempts', async () => {
  const { store, requests } = await scripted(() => UNAVAILABLE)
  await assert.rejects(store.get('a'), {
    code: 'KD_STORE_UNAVAILABLE',
    retryable: true,
    message: /SlowDown.*status 503, attempts 4/,
  })
  assert.equal(requests.length, ATTEMPTS_MAX)
})

test('A refused request is not retried', async () => {
  const { store, requests } = await scripted(() => refusal(403, 'AccessDenied'))
  await assert.rejects(store.get('a'), { code: 'KD_STORE_FAILED' })
  assert.equal(requests.length, 1)
})

test('A body that is cut off, or never ends, is read again', async () => {
  const headers = { 'content-length': '10' }
  const { store, requests } = await scripted((_, index) =>
    index === 0 ? { cutAfter: 'half', headers } : { status: 200, headers, body: '0123456789' },
  )
  assert.equal(Buffer.from(await store.get('a')).toString(), '0123456789')
  assert.equal(requests.length, 2)
})

test('A server that ignores the range gets one request, and the range is cut from its response', async () => {
  const { store } = await scripted(() => ({ status: 200, body: '0123456789' }))
  assert.equal(Buffer.from(await store.get('a', { start: 2, end: 5 })).toString(), '234')
})

/** Creates a page of a listing; all but the last have a continuation token. */
function page(keys: readonly string[], token?: string): ScriptedAnswer {
  const contents = keys.map((key) => `<Contents><Key>table/${key}</Key><Size>1</Size></Contents>`).join('')
  const more =
    token === undefined
      ? ''
      : `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`
  return { status: 200, headers: XML, body: `<ListBucketResult>${contents}${more}</ListBucketResult>` }
}

async function keysOf(store: S3Store, startAfter?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('', startAfter)) keys.push(key)
  return keys
}

test('A listing reads page after page and continues where it stopped when one fails', async () => {
  const { store, requests } = await scripted(
    (_, index) => [page(['b', 'c'], 'two'), UNAVAILABLE, page(['d'], 'three')][index] ?? page(['e']),
  )
  assert.deepEqual(await keysOf(store, 'a'), ['b', 'c', 'd', 'e'])
  assert.match(requests[0]?.url ?? '', /prefix=table%2F.*start-after=table%2Fa/)
  assert.match(requests[2]?.url ?? '', /continuation-token=two/)
  assert.match(requests[3]?.url ?? '', /continuation-token=three/)
})

test('Folder markers, also of the root itself, are not objects', async () => {
  const { store } = await scripted(() => page(['', 'a/', 'a/b']))
  assert.deepEqual(await keysOf(store), ['a/b'])
})

test('A server that does not list in byte order, or starts too early, is refused', async () => {
  const disorder = { code: 'KD_STORE_FAILED', message: /byte order/ }
  const paging = await scripted((_, index) => (index === 0 ? page(['b', 'c'], 'two') : page(['a'])))
  await assert.rejects(keysOf(paging.store), disorder)
  const starting = await scripted(() => page(['a', 'b']))
  await assert.rejects(keysOf(starting.store, 'a'), disorder)
})

/** Starts an S3 server with multipart uploads; `special` may answer first. */
function uploads(special: (request: ScriptedRequest) => ScriptedAnswer | undefined) {
  return (request: ScriptedRequest): ScriptedAnswer => {
    const answer = special(request)
    if (answer !== undefined) return answer
    if (request.method === 'POST' && request.url.includes('uploads'))
      return { status: 200, headers: XML, body: '<R><UploadId>u1</UploadId></R>' }
    if (request.method === 'PUT') return { status: 200, headers: { etag: '"part"' } }
    if (request.method === 'DELETE') return { status: 204 }
    if (request.method === 'HEAD') return { status: 200, headers: { 'content-length': String(20 * MIB) } }
    return { status: 200, headers: XML, body: '<R><ETag>"whole"</ETag></R>' }
  }
}

function isCompletion(request: ScriptedRequest): boolean {
  return request.method === 'POST' && request.url.includes('uploadId=u1')
}

test('An upload whose completion succeeded without a response is confirmed by the object', async () => {
  let completions = 0
  const { store, requests } = await scripted(
    uploads((request) => {
      if (!isCompletion(request)) return undefined
      return ++completions === 1 ? 'cut' : refusal(404, 'NoSuchUpload')
    }),
  )
  assert.deepEqual(await store.put('a', Buffer.alloc(20 * MIB)), { bytes: 20 * MIB })
  assert.equal(requests.filter(({ method }) => method === 'DELETE').length, 0)
})

test('An upload is aborted when a part fails permanently', async () => {
  const { store, requests } = await scripted(
    uploads((request) => (request.url.includes('partNumber=2') ? refusal(403, 'AccessDenied') : undefined)),
  )
  await assert.rejects(store.put('a', Buffer.alloc(20 * MIB)), { code: 'KD_STORE_FAILED' })
  assert.equal(
    requests.filter(({ method, url }) => method === 'DELETE' && url.includes('uploadId=u1')).length,
    1,
  )
  assert.equal(requests.some(isCompletion), false)
})

test('A streamed upload whose producer fails is aborted with the error of the producer', async () => {
  const { store, requests } = await scripted(uploads(() => undefined))
  const failing = (async function* () {
    for (let chunk = 0; chunk < 40; chunk++) yield await Promise.resolve(Buffer.alloc(MIB))
    throw new Error('the producer failed')
  })()
  await assert.rejects(store.put('a', failing), /the producer failed/)
  assert.equal(requests.filter(({ method }) => method === 'DELETE').length, 1)
})

test('A long stream has at most four parts under way, and is not read ahead', async () => {
  let produced = 0
  let sent = 0
  let aheadMax = 0
  const { store } = await scripted(
    uploads((request) => {
      if (request.method === 'PUT') sent += request.body.length
      return undefined
    }),
  )
  const long = (async function* () {
    for (let chunk = 0; chunk < 100; chunk++) {
      produced += MIB
      aheadMax = Math.max(aheadMax, produced - sent)
      yield await Promise.resolve(Buffer.alloc(MIB))
    }
  })()
  assert.deepEqual(await store.put('a', long), { bytes: 100 * MIB })
  assert.ok(aheadMax <= 41 * MIB, `${aheadMax} bytes were held`)
})

test('Each attempt is a child span of the active span, with operation, bucket, key, bytes and attempt', async () => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  stops.push(() => provider.shutdown())
  const { store } = await scripted((_, index) => (index === 0 ? UNAVAILABLE : { status: 200 }))
  await trace.getTracer('test').startActiveSpan('stage', async (span) => {
    await store.put('a', Buffer.from('body'))
    span.end()
  })
  const spans = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('s3 '))
  const stage = exporter.getFinishedSpans().find(({ name }) => name === 'stage')
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['s3 PutObject', 's3 PutObject'],
  )
  assert.deepEqual(
    spans.map(({ attributes }) => attributes['kafka_delta.attempt']),
    [1, 2],
  )
  for (const { attributes, parentSpanContext } of spans) {
    assert.equal(attributes['rpc.method'], 'PutObject')
    assert.equal(attributes['aws.s3.bucket'], 'lake')
    assert.equal(attributes['aws.s3.key'], 'table/a')
    assert.equal(attributes['kafka_delta.bytes'], 4)
    assert.equal(parentSpanContext?.spanId, stage?.spanContext().spanId)
  }
  assert.equal(spans[0]?.attributes['http.response.status_code'], 503)
})
