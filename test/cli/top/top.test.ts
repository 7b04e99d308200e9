import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ConsoleSnapshot } from '../../../src/console/snapshot.ts'
import { DEGRADED, HEALTHY } from '../../console/page/support/snapshots.ts'
import { programOf } from '../../support/program.ts'

const MAIN = programOf(join(import.meta.dirname, '../../../src/cli/main.ts'))
const TOKEN = 'a-token-for-this-test'
let snapshot: ConsoleSnapshot = HEALTHY
const asked: string[] = []
const server = createServer(({ url = '', headers }, response) => {
  asked.push(url)
  const isMissing = !url.startsWith('/console/snapshot')
  const isRefused = headers.authorization !== `Bearer ${TOKEN}`
  response.writeHead(isMissing ? 404 : isRefused ? 401 : 200).end(JSON.stringify(snapshot))
})
let base = ''
before(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

function top(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(
      'node',
      [...MAIN, 'top', ...args],
      { env: { ...process.env, ...env } },
      (_, out, error) => {
        done({ code: child.exitCode ?? -1, out, error })
      },
    )
  })
}

test('One look is printed, and the exit code tells whether all is well', async () => {
  const env = { KAFKA_DELTA_ADMIN_TOKEN: TOKEN }
  const healthy = await top(['--url', base, '--once', '--topic', 'a b'], env)
  assert.equal(healthy.code, 0, healthy.error)
  assert.match(healthy.out, /^Healthy: 3 topics/)
  assert.equal(asked.at(-1), '/console/snapshot?topic=a+b')
  snapshot = DEGRADED
  const degraded = await top(['--url', base, '--once', '--json'], env)
  assert.equal(degraded.code, 1)
  assert.deepEqual(JSON.parse(degraded.out), JSON.parse(JSON.stringify(DEGRADED)))
})

test('A service that does not answer, or wants its token, is said in one sentence', async () => {
  const nobody = await top(['--url', 'http://127.0.0.1:1', '--once'])
  assert.equal(nobody.code, 2)
  assert.match(
    nobody.error,
    /http:\/\/127\.0\.0\.1:1 does not answer: .*; is the service running, and is http\.port set/,
  )
  const refused = await top(['--url', base, '--once'], { KAFKA_DELTA_ADMIN_TOKEN: '' })
  assert.equal(refused.code, 2)
  assert.match(refused.error, /wants its admin token: set KAFKA_DELTA_ADMIN_TOKEN/)
  assert.ok(!refused.error.includes(TOKEN))
  const unset = await top(['--once'], { KAFKA_DELTA_HTTP_PORT: '' })
  assert.match(unset.error, /http\.port is not set/)
  const json = await top(['--url', base, '--json'])
  assert.match(json.error, /expected --json together with --once/)
})
