import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { createStatsd } from '../../../src/telemetry/metrics/statsd.ts'

const sockets: Socket[] = []
after(() => sockets.forEach((socket) => socket.close()))

async function server(): Promise<{
  readonly port: number
  readonly datagrams: string[]
  seen: (text: string) => Promise<void>
}> {
  const socket = createSocket('udp4')
  sockets.push(socket)
  const datagrams: string[] = []
  let told = (): void => undefined
  socket.on('message', (message) => {
    datagrams.push(message.toString())
    told()
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    datagrams,
    seen: async (text) => {
      while (!datagrams.join('').includes(text)) await new Promise<void>((resolve) => (told = resolve))
    },
  }
}

test('Values arrive under their prefix with their type, several in a datagram', async () => {
  const { port, datagrams, seen } = await server()
  const failures: unknown[] = []
  const statsd = createStatsd({
    host: '127.0.0.1',
    port,
    prefix: 'kdi',
    queueMax: 100,
    onFailure: (error) => failures.push(error),
  })
  statsd.send('messages.size', 'g', 12.6)
  statsd.send('delta.write.completed', 'c', 1)
  statsd.send('delta.write.duration', 'ms', 34)
  for (let number = 0; number < 50; number++) statsd.send('buffer.lag.total', 'g', number)
  await statsd.close()
  await seen('buffer.lag.total:49|g\n')
  const text = datagrams.join('')
  assert.ok(
    text.startsWith(
      'kdi.messages.size:13|g\nkdi.delta.write.completed:1|c\nkdi.delta.write.duration:34|ms\n',
    ),
    text,
  )
  assert.equal(text.split('\n').length, 54)
  assert.ok(
    datagrams.every(({ length }) => length <= 576),
    'no datagram is split on its way',
  )
  assert.deepEqual(failures, [])
})

test('A full queue drops values, and an unknown server is reported once', async () => {
  const failures: unknown[] = []
  const statsd = createStatsd({
    host: 'no-such-host.invalid',
    port: 8125,
    prefix: '',
    queueMax: 2,
    onFailure: (error) => failures.push(error),
  })
  for (let number = 0; number < 1_000; number++) statsd.send('x', 'c', number)
  await statsd.close()
  statsd.send('x', 'c', 1)
  await statsd.close()
  assert.equal(failures.length, 1)
})
