import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import { Health } from '../../../src/service/health/health.ts'
import { contentPolicyOf } from '../../../src/service/http/console-routes.ts'
import { startEndpoints, type Endpoints } from '../../../src/service/http/endpoints.ts'
import { LogLevels } from '../../../src/telemetry/log-levels.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

const TOKEN = 'a-token-for-this-test'
const AUTHORIZED = { headers: { authorization: `Bearer ${TOKEN}` } }
const PAGE = '<html><head><style>p{}</style></head><body><script>run()</script></body></html>'

const log = createLogger({ level: 'silent' })
const opened: Endpoints[] = []
after(async () => {
  await Promise.all(opened.map((each) => each.close()))
})

/** Starts the endpoints with a console whose snapshots name the topic that was asked for. */
async function started(
  more: object = {},
  snapshotText = (topic: string | undefined): string => JSON.stringify({ topic: topic ?? null }),
): Promise<Endpoints> {
  const [port = 0] = await findFreePorts(1)
  const config = loadConfig({ object: { http: { port, ...more }, admin: { token: TOKEN } } })
  const health = new Health({ stalledMs: 1e9, log })
  const metrics = (): Promise<string> => Promise.resolve('')
  const endpoints = await startEndpoints({
    ...{ config, health, metrics, log, levels: new LogLevels() },
    ...{ console: { snapshotText }, page: () => PAGE },
  })
  opened.push(endpoints)
  return { ...endpoints, url: endpoints.url.replace('0.0.0.0', '127.0.0.1') }
}

/** Reads a stream until its text satisfies `isDone`, and closes it. */
async function readUntil(response: Response, isDone: (text: string) => boolean): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (isDone(text)) break
  }
  return text
}

test('The page is open, and its policy allows what is written in it and nothing else', async () => {
  const { url } = await started({ host: '0.0.0.0' })
  const response = await fetch(url)
  assert.equal(response.status, 200)
  assert.equal(await response.text(), PAGE)
  const header = (name: string): string => response.headers.get(name) ?? ''
  assert.deepEqual(
    [header('cache-control'), header('content-type')],
    ['no-store', 'text/html; charset=utf-8'],
  )
  const policy = header('content-security-policy')
  assert.equal(policy, contentPolicyOf(PAGE))
  assert.match(
    policy,
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/,
  )
  assert.ok(!/unsafe|\*|https?:/.test(policy))
  // Computed by `printf 'run()' | openssl dgst -sha256 -binary | base64`.
  assert.ok(policy.includes("script-src 'sha256-AvyuiL0SD1mVY3NNxR+V2uo+lhk6RMFrytWmRt6CrJQ='"))
  assert.match(contentPolicyOf('<p>'), /script-src 'none'; style-src 'none'/)
})

test('Beyond the loopback address the data needs the token, as the status does', async () => {
  const { url } = await started({ host: '0.0.0.0' })
  for (const path of ['/console/snapshot', '/console/events', '/status']) {
    const refused = await fetch(`${url}${path}`)
    assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer'], path)
    await refused.body?.cancel()
  }
  const response = await fetch(`${url}/console/snapshot?topic=a%2Fb`, AUTHORIZED)
  assert.deepEqual([response.status, await response.json()], [200, { topic: 'a/b' }])
  assert.equal(response.headers.get('cache-control'), 'no-store')
})

test('A stream has a snapshot each second of the topic that was asked for; one that cannot be made is a comment', async () => {
  let calls = 0
  const { url } = await started({}, (topic) => {
    if (++calls === 2) throw new Error('no\n\ndata: luck')
    return JSON.stringify({ topic, calls })
  })
  const response = await fetch(`${url}/console/events?topic=orders`)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(response.headers.get('cache-control'), 'no-store')
  const text = await readUntil(response, (all) => all.includes('"calls":3'))
  assert.deepEqual(text.trim().split('\n\n'), [
    'event: snapshot\ndata: {"topic":"orders","calls":1}',
    ': no snapshot: no data: luck',
    'event: snapshot\ndata: {"topic":"orders","calls":3}',
  ])
})

test('At most twenty streams are open; one that its reader leaves makes room', async () => {
  const { url } = await started()
  const leaving = Array.from({ length: 20 }, () => new AbortController())
  const streams = await Promise.all(leaving.map(({ signal }) => fetch(`${url}/console/events`, { signal })))
  assert.ok(streams.every(({ status }) => status === 200))
  const refused = await fetch(`${url}/console/events`)
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '10'])
  assert.deepEqual(await refused.json(), { status: 503, error: 'expected at most 20 streams' })
  leaving[3]?.abort()
  let status = 503
  for (let tries = 0; status === 503 && tries < 500; tries++) {
    const response = await fetch(`${url}/console/events`)
    status = response.status
    await response.body?.cancel()
  }
  assert.equal(status, 200)
  for (const each of leaving) each.abort()
})

test('Streams end when the server closes', async () => {
  const endpoints = await started()
  const response = await fetch(`${endpoints.url}/console/events`)
  const reading = readUntil(response, () => false).catch(() => 'cut')
  await endpoints.close()
  await reading
})

test('Without a console there are no routes of it', async () => {
  const [port = 0] = await findFreePorts(1)
  const config = loadConfig({ object: { http: { port } } })
  const health = new Health({ stalledMs: 1e9, log })
  const endpoints = await startEndpoints({
    ...{ config, health, metrics: () => Promise.resolve(''), log, levels: new LogLevels() },
  })
  opened.push(endpoints)
  for (const path of ['/', '/console/snapshot', '/console/events'])
    assert.equal((await fetch(`${endpoints.url}${path}`)).status, 404, path)
})
