import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import { findFreePorts } from '../../../src/local-servers/process.ts'
import type { ReadObstacle } from '../../../src/kafka/fetch/read-obstacles.ts'
import { startEndpoints, type Endpoints } from '../../../src/service/http/endpoints.ts'
import { Health } from '../../../src/service/health/health.ts'
import type { RunState } from '../../../src/service/topic/state.ts'
import type { TopicRun } from '../../../src/service/topic/topic-run.ts'
import { LogLevels } from '../../../src/telemetry/log-levels.ts'
import { createLogger } from '../../../src/telemetry/log.ts'

const TOKEN = 'a-token-nobody-guesses'
const lines: string[] = []
const levels = new LogLevels()
const log = createLogger({
  level: 'info',
  pretty: false,
  destination: { write: (line: string) => void lines.push(line) },
  levels,
})

let state: RunState
let obstacle: ReadObstacle | undefined
let done: string[]
let flush: () => Promise<string | undefined>
const topic = {
  name: 'many/orders.v1',
  topic: 'orders.v1',
  config: { deadLetters: {} },
  status: {
    partitions: () => [],
    inFlight: () => ({ bufferedBytes: 0, flushes: [] }),
    failure: undefined,
    get state() {
      return state
    },
    get obstacle() {
      return obstacle
    },
  },
  control: {
    pause: () => {
      done.push('pause')
      state = 'paused'
    },
    resume: () => {
      done.push('resume')
      state = 'running'
    },
    flush: () => flush(),
    optimize: () => Promise.resolve(void done.push('optimize')),
    restart: () => {
      if (state !== 'failed' && state !== 'restarting')
        throw new PipelineError('KD_COMMAND_INVALID', `it is ${state}`)
      done.push('restart')
      state = 'opening'
    },
  },
} as unknown as TopicRun

let endpoints: Endpoints
const opened: Endpoints[] = []

async function start(admin: object): Promise<void> {
  const [port = 0] = await findFreePorts(1)
  const config = loadConfig({ object: { http: { port }, admin } })
  const health = new Health({ stalledMs: 60_000, log, hide: (text) => text.replace('hunter2', '[secret]') })
  health.setTopics([topic])
  endpoints = await startEndpoints({ config, health, metrics: () => Promise.resolve(''), log, levels })
  opened.push(endpoints)
}

beforeEach(async () => {
  state = 'running'
  obstacle = undefined
  done = []
  flush = () => {
    done.push('flush')
    return Promise.resolve(undefined)
  }
  await start({ enabled: true, token: TOKEN })
  lines.length = 0
})
after(() => Promise.all(opened.map((each) => each.close())))

async function ask(
  method: string,
  path: string,
  { token = TOKEN, body }: { token?: string | undefined; body?: unknown } = {},
): Promise<{ status: number; json: Readonly<Record<string, unknown>>; headers: Headers }> {
  const answer = await fetch(`${endpoints.url}/admin${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const json = (await answer.json()) as Readonly<Record<string, unknown>>
  return { status: answer.status, json, headers: answer.headers }
}

const ORDERS = '/topics/many%2Forders.v1'

test('A topic is paused, resumed, flushed and optimized by its entry name or its Kafka name, with one log line each', async () => {
  assert.deepEqual((await ask('POST', `${ORDERS}/pause`)).json, {
    topic: 'many/orders.v1',
    verb: 'pause',
    done: true,
    state: 'paused',
  })
  assert.equal((await ask('POST', '/topics/orders.v1/resume')).json['state'], 'running')
  assert.equal((await ask('POST', `${ORDERS}/flush`)).status, 200)
  assert.equal((await ask('POST', `${ORDERS}/optimize`)).status, 200)
  assert.deepEqual(done, ['pause', 'resume', 'flush', 'optimize'])
  assert.deepEqual(
    lines.map((line) => /"level":"info".*"verb":"(\w+)"/.exec(line)?.[1]),
    done,
  )
})

test('Without the right token nothing is done: status 401, and one log line per minute', async () => {
  for (const token of ['', 'x', `${TOKEN}x`, TOKEN.slice(1)]) {
    const { status, headers } = await ask('POST', `${ORDERS}/pause`, { token })
    assert.equal(status, 401, token)
    assert.equal(headers.get('www-authenticate'), 'Bearer')
  }
  assert.equal((await fetch(`${endpoints.url}/admin${ORDERS}/pause`, { method: 'POST' })).status, 401)
  assert.deepEqual(done, [])
  assert.equal(lines.length, 1, lines.join(''))
  assert.ok(!lines.join('').includes(TOKEN), 'no token in the log')
})

test('Unknown topics and verbs give 404, verbs that the state forbids give 409, both with a reason', async () => {
  assert.deepEqual((await ask('POST', '/topics/nobody/pause')).json, {
    status: 404,
    error: 'there is no topic nobody',
  })
  assert.equal((await ask('POST', `${ORDERS}/explode`)).status, 404)
  assert.equal((await ask('POST', `${ORDERS}/constructor`)).status, 404)
  assert.equal((await ask('POST', '/elsewhere')).status, 404)
  assert.match(String((await ask('POST', `${ORDERS}/resume`)).json['error']), /is not paused: it is running/)
  state = 'failed'
  for (const verb of ['pause', 'resume', 'flush', 'optimize'])
    assert.equal((await ask('POST', `${ORDERS}/${verb}`)).status, 409, verb)
  assert.deepEqual(done, [])
})

test('Each verb answers in each state as the state allows', async () => {
  const states: readonly RunState[] = ['opening', 'running', 'paused', 'restarting', 'failed', 'ended']
  const expected = {
    pause: [200, 200, 409, 200, 409, 409],
    resume: [409, 409, 200, 409, 409, 409],
    flush: [200, 200, 200, 200, 409, 409],
    optimize: [200, 200, 200, 200, 409, 409],
    restart: [409, 409, 409, 200, 200, 409],
  }
  for (const [verb, statuses] of Object.entries(expected))
    for (const [index, each] of states.entries()) {
      state = each
      assert.equal((await ask('POST', `${ORDERS}/${verb}`)).status, statuses[index], `${verb} while ${each}`)
    }
})

test('A flush that cannot put everything into the table is not done, and says why', async () => {
  flush = () => Promise.resolve('it is paused, and hunter2 is not in the table')
  const { status, json } = await ask('POST', `${ORDERS}/flush`)
  assert.deepEqual(
    [status, json['done'], json['reason']],
    [202, false, 'it is paused, and [secret] is not in the table'],
  )
  assert.match(lines.join(''), /"done":false.*not everything is done yet/)
})

test('A topic that waits is not restarted, and the refusal says what it waits for', async () => {
  obstacle = { sinceMs: 0, reason: 'the coordinator does not answer hunter2' }
  const { status, json } = await ask('POST', `${ORDERS}/restart`)
  assert.deepEqual(
    [status, json['error']],
    [409, 'many/orders.v1 continues by itself: it is waiting: the coordinator does not answer [secret]'],
  )
})

test('The failure of a topic is reported with its code and without secrets', async () => {
  flush = () => Promise.reject(new PipelineError('KD_STORE_FAILED', 'expected a put, got hunter2'))
  const { status, json } = await ask('POST', `${ORDERS}/flush`)
  assert.deepEqual([status, json['code']], [500, 'KD_STORE_FAILED'])
  assert.match(String(json['error']), /\[secret\]/)
  flush = () => Promise.reject(new PipelineError('KD_COMMAND_INVALID', 'not carried now'))
  assert.equal((await ask('POST', `${ORDERS}/flush`)).status, 409)
})

test('The log level is set for all topics or for one, and an invalid level is refused', async () => {
  const level = (body: unknown): ReturnType<typeof ask> => ask('PUT', '/log-level', { body })
  assert.deepEqual((await level({ level: 'debug', topic: 'orders.v1' })).json, {
    level: 'info',
    topics: { 'orders.v1': 'debug' },
  })
  assert.deepEqual((await level({ level: null, topic: 'many/orders.v1' })).json, {
    level: 'info',
    topics: {},
  })
  for (const body of [
    {},
    { level: 'loud' },
    { level: null },
    { level: 'info', topic: 1 },
    { level: 'info', x: 1 },
    [],
  ])
    assert.equal((await level(body)).status, 400, JSON.stringify(body))
  assert.equal((await level({ level: 'info', topic: 'nobody' })).status, 404)
  assert.equal((await level({ level: 'info', topic: 'x'.repeat(2_000) })).status, 413)
  lines.length = 0
  assert.equal((await level({ level: 'silent' })).json['level'], 'silent')
  assert.equal((await level({ level: 'info' })).json['level'], 'info')
  assert.equal(lines.length, 2, 'both changes are logged')
})

test('A body is JSON whatever its content type says, and none may have a content type', async () => {
  const send = async (method: string, path: string, type: string, body: string): Promise<number> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type }
    const answer = await fetch(`${endpoints.url}/admin${path}`, { method, headers, body })
    return answer.status
  }
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8']) {
    assert.equal(await send('PUT', '/log-level', type, '{"level": "info"}'), 200, type)
    assert.equal(await send('PUT', '/log-level', type, 'level=info'), 400, type)
    assert.equal(await send('POST', '/topics/orders.v1/flush', type, ''), 200, type)
  }
})

test('More than sixty verbs per minute are refused', async () => {
  const statuses: number[] = []
  for (let i = 0; i < 130; i++) statuses.push((await ask('POST', '/topics/nobody/flush')).status)
  assert.ok(statuses.includes(429), 'some are refused')
  // The minute may change during the test.
  assert.ok(statuses.filter((status) => status === 404).length <= 120, 'sixty per minute')
})

test('Without admin.enabled there are no verbs, with or without a token', async () => {
  await start({ token: TOKEN })
  assert.equal((await ask('POST', `${ORDERS}/pause`)).status, 404)
  assert.equal((await ask('PUT', '/log-level', { body: { level: 'debug' } })).status, 404)
  assert.deepEqual(done, [])
})
