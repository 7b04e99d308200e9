import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { faultProxy, type FaultProxy } from './fault-proxy.ts'
import { scriptedServer } from './scripted-http.ts'

const server = await scriptedServer(({ url }) => ({ status: 200, body: `answer to ${url}` }))
after(() => server.stop())
const proxy = await faultProxy(server.endpoint)
after(() => proxy.stop())

/** Switches a fault on, and lets the client notice that its kept connections were broken off. */
async function set(...fault: Parameters<FaultProxy['set']>): Promise<void> {
  await proxy.set(...fault)
  await new Promise((resolve) => setTimeout(resolve, 20))
}

async function ask(path: string, timeoutMs = 10_000): Promise<string> {
  const body = 'x'.repeat(100_000)
  const answer = await fetch(proxy.endpoint + path, {
    method: 'PUT',
    body,
    signal: AbortSignal.timeout(timeoutMs),
  })
  return `${answer.status} ${await answer.text()}`
}

/** How often the server itself was asked for a path, with the whole body. */
function carriedOut(path: string): number {
  return server.requests.filter(({ url, body }) => url === path && body.length === 100_000).length
}

test('each fault is what it says, ends when it is switched off, and the address stays', async () => {
  const { endpoint } = proxy
  assert.equal(await ask('/first'), '200 answer to /first')

  await set('unavailable')
  assert.equal(await ask('/unavailable'), '503 ')
  await set('slow-down')
  assert.match(await ask('/slow-down'), /^503 .*SlowDown/)
  await set('forbidden')
  assert.match(await ask('/forbidden'), /^403 .*AccessDenied/)
  await set('cut')
  await assert.rejects(ask('/cut'))
  await set('hang')
  await assert.rejects(ask('/hang', 200), { name: 'TimeoutError' })
  await set('refuse')
  await assert.rejects(
    ask('/refuse'),
    ({ cause }: Error) => (cause as { code?: string }).code === 'ECONNREFUSED',
  )
  for (const path of ['/unavailable', '/slow-down', '/forbidden', '/cut', '/hang', '/refuse'])
    assert.equal(carriedOut(path), 0, path)

  await set('ambiguous')
  await assert.rejects(ask('/ambiguous'))
  assert.equal(carriedOut('/ambiguous'), 1)

  await set('slow')
  assert.equal(await ask('/slow'), '200 answer to /slow')
  await set('pass')
  assert.equal(await ask('/last'), '200 answer to /last')
  assert.equal(proxy.endpoint, endpoint)
  const once = { unavailable: 1, 'slow-down': 1, forbidden: 1, slow: 1, hang: 1, cut: 1, ambiguous: 1 }
  assert.deepEqual(proxy.met, { pass: 2, ...once })
})

test('a fault for some requests lets the others pass', async () => {
  await set('unavailable', ({ url }) => url.startsWith('/broken/'))
  assert.deepEqual(await Promise.all([ask('/broken/1'), ask('/whole/1')]), ['503 ', '200 answer to /whole/1'])
  await set('pass')
})
