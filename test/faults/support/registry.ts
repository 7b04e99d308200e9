import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../src/core/clock.ts'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { openSender } from '../../../src/kafka/produce/sender.ts'
import type { SampleEvent } from '../../../src/sample/event.ts'
import { createRateLimiter } from '../../../src/sample/rate-limiter.ts'
import { produceEvents } from '../../../src/sample/produce.ts'
import { generateUserEvents } from '../../../src/sample/user-events.ts'
import { encoderOf } from '../../support/values/avro-values.ts'
import { faultProxy } from '../../support/network/fault-proxy.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { topicFilled } from './load.ts'
import {
  assertExact,
  assertUnharmed,
  BUDGET_BYTES,
  committed,
  settled,
  topicOf,
  type Setting,
} from './scenario.ts'
import { startWatched, valueOf } from './service.ts'

interface Event {
  readonly event_id: string
  readonly country: string
}

const FIRST = { type: 'record', name: 'Event', fields: [{ name: 'event_id', type: 'string' }] }
const SECOND = {
  ...FIRST,
  fields: [...FIRST.fields, { name: 'country', type: ['null', 'string'], default: null }],
}
/** Records with the unknown schema that must be in Kafka before the registry comes back. */
const UNKNOWN_MIN = 1_000

/**
 * The registry is gone while records with a schema id arrive that the service has not seen: they wait, nothing becomes a
 * dead letter for it, and once the registry is back the table is exact.
 */
export async function registryFails(
  setting: Setting & { readonly brokers: readonly string[]; readonly registryUrl: string },
): Promise<void> {
  const { program, folder, brokers, registryUrl, rate, seed, outageMs, circuit, say } = setting
  const proxy = await faultProxy(registryUrl)
  const topic = nameForTests('registry')
  const subject = `${topic}-value`
  const ids = {
    known: await registered(registryUrl, subject, FIRST),
    unknown: await registered(registryUrl, subject, SECOND),
  }
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions: 3 })
  const known = await startAvro(brokers, topic, { id: ids.known, schema: FIRST, rate: rate / 2, seed })
  let unknown: Avro | undefined
  let kill = (): void => undefined
  try {
    await topicFilled(brokers, topic)
    const uri = join(folder, 'table')
    const config = {
      kafka: { brokers, groupId: topic },
      budget: { bytes: BUDGET_BYTES },
      schemaRegistry: { url: proxy.endpoint },
      ...(circuit === undefined ? {} : { circuit }),
      topics: { events: topicOf(topic, uri, { format: 'avro', framing: 'registry', contract: undefined }) },
    }
    const service = await startWatched(program, config, join(folder, 'registry.json'), 90_000 + 3 * outageMs)
    kill = () => {
      service.worker.kill('SIGKILL')
    }
    await service.until('commits', (look) => committed(look, topic) > 0)
    await proxy.set('refuse')
    unknown = await startAvro(brokers, topic, {
      id: ids.unknown,
      schema: SECOND,
      rate: rate / 2,
      seed: seed + 1,
    })
    const open = await service.until('an open circuit', ({ circuits, status }) => {
      return (
        circuits[proxy.endpoint] !== undefined &&
        circuits[proxy.endpoint] !== 'closed' &&
        status === 'unavailable'
      )
    })
    assert.equal(open.code, 503)
    await service.until('records behind', (look) => valueOf(look, 'kafka_delta_lag', { topic }) > UNKNOWN_MIN)
    await sleep(outageMs)
    const before = committed(await service.look(), topic)
    await proxy.set('pass')
    const backMs = Date.now()
    await service.until('commits again', (look) => look.status === 'ready' && committed(look, topic) > before)
    say(
      `  no registry for ${outageMs} ms after its circuit opened: commits again ${Date.now() - backMs} ms after`,
    )
    const records = (await known.stop()) + (await unknown.stop())
    await settled(service, topic, records)
    await assertUnharmed(setting, service)
    await assertExact(setting, { brokers, topic, uri })
  } finally {
    kill()
    await Promise.all([known.stop().catch(() => undefined), unknown?.stop().catch(() => undefined)])
    await proxy.stop()
  }
}

/** Events that are sent until they are told to stop. */
interface Avro {
  /** Resolves to how many were sent. */
  stop(): Promise<number>
}

/** Sends user events in Avro with the frame of a schema; those that are bad on purpose are text. */
async function startAvro(
  brokers: readonly string[],
  topic: string,
  {
    id,
    schema,
    rate,
    seed,
  }: { readonly id: number; readonly schema: object; readonly rate: number; readonly seed: number },
): Promise<Avro> {
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(id, 1)
  const encode = encoderOf(schema)
  const events = function* (): Generator<SampleEvent> {
    for (const event of generateUserEvents({ seed, badEvery: 500 })) {
      const { event_id, country } = (
        event.bad === undefined ? JSON.parse(event.value.toString()) : {}
      ) as Event
      yield event.bad === undefined
        ? { ...event, value: Buffer.concat([frame, encode({ event_id, country: { string: country } })]) }
        : event
    }
  }
  const sender = await openSender({ brokers, clientId: 'faults', topic })
  const stopping = new AbortController()
  const pace = createRateLimiter(rate, systemClock, stopping.signal)
  const sent = produceEvents(events(), sender, { rateLimiter: pace })
  // Whoever stops it gets the rejection.
  sent.catch(() => undefined)
  return {
    stop: async () => {
      stopping.abort()
      const { records } = await sent
      await sender.close()
      return records
    },
  }
}

async function registered(url: string, subject: string, schema: object): Promise<number> {
  const answer = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  const { id } = (await answer.json()) as { id?: number }
  if (id === undefined) throw new Error(`the registry answered ${answer.status}`)
  return id
}
