// Goal: responses of any size arrive intact, with and without TLS, although sockets read into the responses' own memory.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { connectBroker } from '../../../../src/kafka/wire/network/connect.ts'
import { makeAuthority } from '../../../support/servers/certificates.ts'
import { fakeBroker, type FakeBroker } from '../support/fake-broker.ts'
import { socketsOfService } from '../support/sockets.ts'

const SIZES = [0, 1, 65_000, 65_536, 66_000, 524_288, 3_000_000, 7, 600_000, 5_000_001, 2]

/** Returns bytes that differ by position and size. */
function bytesOf(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + size + (i >> 8)) & 0xff))
}

async function brokerOf(t: TestContext): Promise<FakeBroker> {
  const broker = await fakeBroker(({ body }) => ({
    errorCode: 0,
    protocolType: null,
    protocolName: null,
    assignment: bytesOf(Number(body['memberId'])),
  }))
  t.after(() => broker.stop())
  return broker
}

async function assertIntact(port: number, sockets: ReturnType<typeof socketsOfService>): Promise<void> {
  const connection = await connectBroker({ host: '127.0.0.1', port }, { clientId: 'test', ...sockets })
  try {
    const request = { groupId: 'g', generationId: 1, assignments: [] }
    const responses = await Promise.all(
      SIZES.map((size) => connection.request('SyncGroup', { ...request, memberId: String(size) })),
    )
    for (const [index, { assignment }] of responses.entries())
      assert.ok(bytesOf(SIZES[index] ?? 0).equals(assignment), `response of ${SIZES[index]} bytes`)
  } finally {
    await connection.close()
  }
}

test('Pipelined responses of any size arrive intact', async (t) => {
  const { port } = await brokerOf(t)
  await assertIntact(port, socketsOfService())
})

test('Pipelined responses of any size arrive intact over TLS', async (t) => {
  const { port } = await brokerOf(t)
  const folder = await mkdtemp(join(tmpdir(), 'large-responses-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const authority = await makeAuthority(folder, 'authority')
  const { certFile, keyFile } = await authority.sign('broker')
  const server = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) }, (socket) => {
    const upstream = connect(port, '127.0.0.1')
    socket.on('error', () => upstream.destroy()).pipe(upstream)
    upstream.on('error', () => socket.destroy()).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const ca = await readFile(authority.caFile)
  await assertIntact((server.address() as AddressInfo).port, socketsOfService({ ca }))
})
