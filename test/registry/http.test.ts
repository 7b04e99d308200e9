import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { contractOfFormat } from '../../src/formats/open/contract.ts'
import { createHttpClient } from '../../src/registry/http.ts'
import { VALUES } from '../support/values/csv.ts'

test('Requests share a connection, and closing the client closes it', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((_, response) => void response.end('yes'))
  server.on('connection', (socket) => void sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const client = createHttpClient({}, 5_000)
  assert.deepEqual(await client.get(url), { status: 200, body: 'yes' })
  await client.get(url)
  assert.equal(sockets.length, 1)
  const [socket] = sockets
  assert.ok(socket !== undefined)
  const closed = once(socket, 'close')
  client.close()
  await closed
})

test('A contract that comes from the registry leaves no connection open', async (t) => {
  const schema = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type: 'long' }] })
  const ended: Promise<unknown>[] = []
  const server = createServer((_, response) => void response.end(JSON.stringify({ schema })))
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => void ended.push(once(socket, 'close')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const contract = await contractOfFormat({
    ...VALUES,
    format: 'avro',
    framing: 'registry',
    subject: 'events-value',
    schemaRegistry: { url },
  })
  assert.ok(contract !== undefined)
  assert.equal(ended.length, 1)
  await Promise.all(ended)
})
