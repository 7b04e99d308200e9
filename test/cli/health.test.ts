import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { requestHealth } from '../../src/cli/health.ts'
import { programOf } from '../support/program.ts'

const MAIN = programOf(join(import.meta.dirname, '../../src/cli/main.ts'))
const STATES: Readonly<Record<string, { readonly code: number; readonly body: string }>> = {
  '/healthz': { code: 200, body: '{"status":"ok"}' },
  '/readyz': { code: 503, body: '{"status":\n"stalled"}' },
}
let server: Server
let port = 0

before(async () => {
  server = createServer((request, response) => {
    const state = STATES[request.url ?? '']
    // Requests for other paths are never answered.
    if (state !== undefined) response.writeHead(state.code).end(state.body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
})

after(() => {
  server.closeAllConnections()
  server.close()
})

test('the check of a live service exits with 0, that of one that is not ready with 1 and its answer', async () => {
  const env = {
    KAFKA_DELTA_HTTP_PORT: String(port),
    KAFKA_DELTA_HTTP_HOST: '0.0.0.0',
    // Incomplete credentials, completed by the service's own file, do not matter to this command.
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: '',
  }
  const [lives, notReady] = await Promise.all([check([], env), check(['--ready'], env)])
  assert.deepEqual(lives, {
    code: 0,
    stdout: `http://127.0.0.1:${port}/healthz answered 200 {"status":"ok"}\n`,
    stderr: '',
  })
  assert.deepEqual(notReady, {
    code: 1,
    stdout: '',
    stderr: `error: http://127.0.0.1:${port}/readyz answered 503 {"status": "stalled"}\n`,
  })
})

test('every problem before the request exits with 1, the only failure code of Docker health checks', async () => {
  const [noPort, badConfig] = await Promise.all([check([], {}), check(['--set', 'http.prt=1'], {})])
  assert.deepEqual(noPort, {
    code: 1,
    stdout: '',
    stderr: 'error: http.port is not set, so the service has no HTTP server to query; set it or pass --url\n',
  })
  assert.equal(badConfig.code, 1)
  assert.match(badConfig.stderr, /http\.prt/)
})

test('a refused connection is reported with its reason', async () => {
  const closed = createServer()
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done))
  const { port: free } = closed.address() as AddressInfo
  await new Promise((done) => closed.close(done))
  const answer = await requestHealth(new URL(`http://127.0.0.1:${free}/healthz`), 5_000)
  assert.equal(answer.ok, false)
  assert.match(answer.text, /ECONNREFUSED/)
})

test('a service that does not answer is given up after the timeout', async () => {
  const answer = await requestHealth(new URL(`http://127.0.0.1:${port}/hangs`), 50)
  assert.equal(answer.ok, false)
  assert.match(answer.text, /did not answer/)
})

function check(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KAFKA_DELTA_'))
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...MAIN, 'health', ...args],
      { env: { ...Object.fromEntries(inherited), ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        done({ code, stdout, stderr })
      },
    )
  })
}
