import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  RequestChannel,
  type RequestChannelOptions,
} from '../../../../src/kafka/wire/network/request-channel.ts'
import { REQUESTS_QUEUED_MAX } from '../../../../src/kafka/wire/network/options.ts'
import { chanceOf } from '../../../support/values/chance.ts'
import { HeldClock, settled } from '../../../support/flow/held-clock.ts'
import { type AnswerRequest, fakeBroker, type FakeBroker, responseFrame } from '../support/fake-broker.ts'

const HEARTBEAT = { groupId: 'g', generationId: 1, memberId: 'm' }
const JOIN = { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols: [] }
const OK = { errorCode: 0 }

interface Opened {
  readonly channel: RequestChannel
  readonly broker: FakeBroker
  readonly clock: HeldClock
}

async function exchangeWith(
  t: TestContext,
  answer: AnswerRequest,
  limits: Partial<RequestChannelOptions> = {},
): Promise<Opened> {
  const broker = await fakeBroker(answer)
  const clock = new HeldClock()
  const socket = await new Promise<Socket>((resolve) => {
    const onConnect = (): void => {
      resolve(opened)
    }
    const opened = connect({ host: broker.host, port: broker.port }, onConnect)
  })
  const channel = new RequestChannel(socket, 'broker:1', {
    ...{ clientId: 'test', requestTimeoutMs: 1_000, responseBytesMax: 10_000, inFlightMax: 3, clock },
    ...{ explain: (error: Error) => error },
    ...limits,
  })
  socket.on('data', (chunk: Buffer) => {
    channel.receive(chunk, false)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    channel.close(new Error('hung up'))
  })
  t.after(async () => {
    channel.close()
    await broker.stop()
  })
  return { channel, broker, clock }
}

/** A broker that responds to one request per call. */
function onDemand(): { readonly answer: AnswerRequest; readonly next: () => void } {
  const waiting: (() => void)[] = []
  return {
    answer: () => new Promise((resolve) => waiting.push(() => resolve(OK))),
    next: () => waiting.shift()?.(),
  }
}

/** Waits for a condition; the runner's time limit ends a test in which it never holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settled()
}

test('Requests are pipelined up to the number in flight, and resolved in order', async (t) => {
  const { answer, next } = onDemand()
  const { channel, broker } = await exchangeWith(t, answer)
  const answered: number[] = []
  const calls = [0, 1, 2, 3, 4].map((i) =>
    channel.request('Heartbeat', 4, HEARTBEAT).then(() => answered.push(i)),
  )
  await until(() => broker.heard.length === 3)
  await settled()
  assert.deepEqual(
    broker.heard.map(({ correlationId, clientId }) => [correlationId, clientId]),
    [0, 1, 2].map((id) => [id, 'test']),
  )
  assert.equal(channel.isIdle, false)
  const going = setInterval(next, 1)
  await Promise.all(calls)
  clearInterval(going)
  assert.deepEqual(answered, [0, 1, 2, 3, 4])
  assert.equal(channel.isIdle, true)
  assert.equal(channel.responseCount, 5)
})

test('Without a response in time, all pending requests fail', async (t) => {
  const { channel, broker, clock } = await exchangeWith(t, () => undefined)
  const outcomes = Promise.allSettled([1, 2, 3, 4].map(() => channel.request('Heartbeat', 4, HEARTBEAT)))
  await until(() => broker.heard.length === 3)
  await clock.advance(999)
  assert.equal(channel.isOpen, true)
  await clock.advance(1)
  assert.equal(channel.isOpen, false)
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert.match(String(outcome.reason), /no response to Heartbeat within 1000 ms \(broker broker:1\)/)
  }
  await assert.rejects(channel.request('Heartbeat', 4, HEARTBEAT), {
    code: 'KD_KAFKA_UNREACHABLE',
    retryable: true,
  })
})

test('The timeout of a request starts at the response before it, and a shorter timeout is respected', async (t) => {
  const { answer, next } = onDemand()
  const { channel, broker, clock } = await exchangeWith(t, answer)
  const join = channel.request('JoinGroup', 0, JOIN, { timeoutMs: 5_000 })
  const beat = channel.request('Heartbeat', 4, HEARTBEAT)
  void beat.catch(() => undefined)
  await until(() => broker.heard.length === 2)
  await clock.advance(4_900)
  next()
  await join
  await clock.advance(999)
  assert.equal(channel.isOpen, true)
  await clock.advance(1)
  await assert.rejects(beat, /no response to Heartbeat within 1000 ms/)
})

test('A missing response is reported long before its timeout, again and again, and a response ends the reports', async (t) => {
  const { answer, next } = onDemand()
  const sinceMs: number[] = []
  const messages: string[] = []
  const onSilence = (since: number, { message }: Error): void => {
    sinceMs.push(since)
    messages.push(message)
  }
  const { channel, broker, clock } = await exchangeWith(t, answer, { onSilence })
  const silenceMs = 100
  const beat = channel.request('Heartbeat', 4, HEARTBEAT, { silenceMs })
  await until(() => broker.heard.length === 1)
  const startMs = clock.now()
  await clock.advance(99)
  assert.equal(messages.length, 0)
  await clock.advance(1)
  await clock.advance(100)
  assert.deepEqual(
    sinceMs.map((since) => since - startMs),
    [0, 100],
  )
  assert.match(messages.join(), /no response to Heartbeat within 100 ms \(broker broker:1\)/)
  next()
  await beat
  const join = channel.request('JoinGroup', 0, JOIN)
  void join.catch(() => undefined)
  await until(() => broker.heard.length === 2)
  await clock.advance(900)
  assert.deepEqual([messages.length, channel.isOpen], [2, true])
})

test('Responses in time keep the connection open, however long it lasts', async (t) => {
  const { channel, clock } = await exchangeWith(t, () => OK)
  for (let i = 0; i < 20; i++) {
    await channel.request('Heartbeat', 4, HEARTBEAT)
    await clock.advance(300)
  }
  assert.equal(channel.isOpen, true)
  await clock.advance(100_000)
  assert.equal(channel.isOpen, true)
})

test('After a throttled response, no request is sent during the throttle time', async (t) => {
  const { channel, broker, clock } = await exchangeWith(t, () => ({ errorCode: 0, throttleTimeMs: 700 }))
  await channel.request('Heartbeat', 4, HEARTBEAT)
  const second = channel.request('Heartbeat', 4, HEARTBEAT)
  await clock.advance(699)
  assert.equal(broker.heard.length, 1)
  await clock.advance(1)
  await second
  assert.equal(broker.heard.length, 2)
})

test('A throttle time that the broker has already applied (KIP-219) is not applied again', async (t) => {
  const { channel, broker } = await exchangeWith(t, () => ({ errorCode: 0, throttleTimeMs: 700 }))
  await channel.request('Heartbeat', 1, HEARTBEAT)
  await channel.request('Heartbeat', 1, HEARTBEAT)
  assert.equal(broker.heard.length, 2)
})

test('An aborted request fails at once; its response is discarded', async (t) => {
  const { answer, next } = onDemand()
  const { channel, broker } = await exchangeWith(t, answer, { inFlightMax: 1 })
  const [sent, queued] = [new AbortController(), new AbortController()]
  const first = channel.request('Heartbeat', 4, HEARTBEAT, { signal: sent.signal })
  const second = channel.request('Heartbeat', 4, HEARTBEAT, { signal: queued.signal })
  const third = channel.request('FindCoordinator', 4, { coordinatorKeys: ['g'] })
  await until(() => broker.heard.length === 1)
  sent.abort(new Error('given up'))
  queued.abort(new Error('given up too'))
  await assert.rejects(first, /given up/)
  await assert.rejects(second, /given up too/)
  next()
  await until(() => broker.heard.length === 2)
  next()
  assert.deepEqual((await third).coordinators, [])
  assert.deepEqual(
    broker.heard.map(({ api }) => api),
    ['Heartbeat', 'FindCoordinator'],
  )
  await assert.rejects(channel.request('Heartbeat', 4, HEARTBEAT, { signal: sent.signal }), /given up/)
})

test('While the channel is held, only urgent requests are sent', async (t) => {
  const { answer, next } = onDemand()
  const { channel, broker } = await exchangeWith(t, answer)
  const first = channel.request('Heartbeat', 4, HEARTBEAT)
  let isHeld = false
  const held = channel.hold().then(() => (isHeld = true))
  const later = channel.request('Heartbeat', 4, HEARTBEAT)
  await until(() => broker.heard.length === 1)
  await settled()
  assert.equal(isHeld, false)
  next()
  await Promise.all([first, held])
  const urgent = channel.request('SaslHandshake', 1, { mechanism: 'PLAIN' }, { isUrgent: true })
  await until(() => broker.heard.length === 2)
  assert.equal(broker.heard[1]?.api, 'SaslHandshake')
  next()
  await urgent
  channel.release()
  await until(() => broker.heard.length === 3)
  next()
  await later
})

test('A response to another request, too long, truncated, with extra bytes or without a request closes the channel', async (t) => {
  const wrong: readonly (readonly [string, AnswerRequest, RegExp])[] = [
    [
      'other',
      (request) => responseFrame({ ...request, correlationId: 77 }, OK),
      /expected the response to Heartbeat with correlation id 0/,
    ],
    ['too long', () => Buffer.from('00002711', 'hex'), /length of at most 10000 bytes, got 10001/],
    ['negative', () => Buffer.from('80000000', 'hex'), /length of at most 10000 bytes/],
    ['cut off', () => Buffer.from('0000000600000000000000', 'hex'), /expected 4 bytes/],
    [
      'trailing',
      (request) => withMore(responseFrame(request, OK)),
      /expected the end of Heartbeat version 4/,
    ],
  ]
  for (const [name, answer, pattern] of wrong) {
    const { channel } = await exchangeWith(t, answer)
    await assert.rejects(channel.request('Heartbeat', 4, HEARTBEAT), pattern, name)
    assert.equal(channel.isOpen, false, name)
  }
  const twice = await exchangeWith(t, (request) =>
    Buffer.concat([responseFrame(request, OK), responseFrame(request, OK)]),
  )
  await twice.channel.request('Heartbeat', 4, HEARTBEAT)
  await until(() => !twice.channel.isOpen)
  await assert.rejects(
    twice.channel.request('Heartbeat', 4, HEARTBEAT),
    /expected no response without a request in flight/,
  )
})

test('Whatever bytes a peer sends, every request is resolved or rejected', async (t) => {
  const chance = chanceOf(t)
  for (let run = 0; run < 60; run++) {
    const { channel, broker, clock } = await exchangeWith(t, (request) => {
      const frame = responseFrame(request, OK)
      for (let change = chance.int(4); change > 0; change--) frame[chance.int(frame.length)] = chance.int(256)
      return frame.subarray(0, chance.once(4) ? chance.int(frame.length) : frame.length)
    })
    const outcomes = Promise.allSettled([1, 2, 3].map(() => channel.request('Heartbeat', 4, HEARTBEAT)))
    await until(() => broker.heard.length === 3 || !channel.isOpen)
    // A response that has not arrived by now never arrives: the peer waits for more, or sent too little.
    for (let turn = 0; turn < 5; turn++) await settled()
    await clock.advance(5_000)
    await outcomes
    channel.close()
    await broker.stop()
  }
})

test('When the broker closes the connection, all pending requests fail', async (t) => {
  const { channel, broker } = await exchangeWith(t, () => undefined)
  const outcomes = Promise.allSettled([1, 2, 3, 4, 5].map(() => channel.request('Heartbeat', 4, HEARTBEAT)))
  await until(() => broker.heard.length === 3)
  broker.cut()
  for (const outcome of await outcomes) assert.equal(outcome.status, 'rejected')
  assert.equal(channel.isIdle, true)
})

test('No listener is left on a signal after a response, after a close, or after a broken connection', async (t) => {
  for (const end of ['response', 'close', 'break'] as const) {
    const { answer, next } = onDemand()
    const { channel, broker } = await exchangeWith(t, answer, { inFlightMax: 1 })
    const { signal } = new AbortController()
    const calls = [1, 2].map(() => channel.request('Heartbeat', 4, HEARTBEAT, { signal }))
    const outcomes = Promise.allSettled(calls)
    await until(() => broker.heard.length === 1)
    assert.equal(getEventListeners(signal, 'abort').length, 2)
    if (end === 'close') channel.close()
    if (end === 'break') broker.cut()
    if (end === 'response') {
      next()
      await until(() => broker.heard.length === 2)
      next()
    }
    await outcomes
    assert.equal(getEventListeners(signal, 'abort').length, 0, end)
  }
})

test('The number of queued requests is limited', async (t) => {
  const { channel } = await exchangeWith(t, () => undefined)
  const calls = Array.from({ length: REQUESTS_QUEUED_MAX + 3 }, () =>
    channel.request('Heartbeat', 4, HEARTBEAT),
  )
  const outcomes = Promise.allSettled(calls)
  await assert.rejects(channel.request('Heartbeat', 4, HEARTBEAT), /the maximum of 1000 requests/)
  channel.close()
  assert.equal((await outcomes).filter(({ status }) => status === 'rejected').length, REQUESTS_QUEUED_MAX + 3)
})

/** Returns the frame with two extra bytes at its end. */
function withMore(frame: Buffer): Buffer {
  const longer = Buffer.concat([frame, Buffer.alloc(2)])
  longer.writeInt32BE(longer.length - 4)
  return longer
}
