import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { faultProxy } from './fault-proxy.ts'
import { scriptedServer } from './scripted-http.ts'

const server = await scriptedServer(({ url }) => ({ status: 200, body: `answer to ${url}` }))
after(() => server.stop())
const proxy = await faultProxy(server.endpoint)
after(() => proxy.stop())

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

  await proxy.set('unavailable')
  assert.equal(await ask('/unavailable'), '503 ')
  await proxy.set('cut')
  await assert.rejects(ask('/cut'))
  await proxy.set('hang')
  await assert.rejects(ask('/hang', 200), { name: 'TimeoutError' })
  await proxy.set('refuse')
  await assert.rejects(
    ask('/refuse'),
    ({ cause }: Error) => (cause as { code?: string }).code === 'ECONNREFUSED',
  )
  for (const path of ['/unavailable', '/cut', '/hang', '/refuse']) assert.equal(carriedOut(path), 0, path)

  await proxy.set('ambiguous')
  await assert.rejects(ask('/ambiguous'))
  assert.equal(carriedOut('/ambiguous'), 1)

  await proxy.set('pass')
  assert.equal(await ask('/last'), '200 answer to /last')
  assert.equal(proxy.endpoint, endpoint)
  assert.deepEqual(proxy.met, { pass: 2, unavailable: 1, hang: 1, cut: 1, ambiguous: 1 })
})

test('a fault for some requests lets the others pass', async () => {
  await proxy.set('unavailable', ({ url }) => url.startsWith('/broken/'))
  assert.deepEqual(await Promise.all([ask('/broken/1'), ask('/whole/1')]), ['503 ', '200 answer to /whole/1'])
  await proxy.set('pass')
})
