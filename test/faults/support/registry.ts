import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultProxy } from '../../support/fault-proxy.ts'
import { nameForTests } from '../../support/servers.ts'
import { startLoad, topicFilled } from './load.ts'
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
  const ids = await register(registryUrl, `${topic}-value`)
  const loadWith = (id: number): ReturnType<typeof startLoad> =>
    startLoad(program, brokers, [
      ...['-t', topic, '--partitions', '3', '--rate', String(rate / 2), '--bad-every', '500'],
      ...['--seed', String(seed + id), '--schema-id', String(id)],
    ])
  const known = loadWith(ids.known)
  let unknown: ReturnType<typeof startLoad> | undefined
  let kill = (): void => undefined
  try {
    await topicFilled(brokers, topic)
    const uri = join(folder, 'table')
    const config = {
      kafka: { brokers, groupId: topic },
      budget: { bytes: BUDGET_BYTES },
      schemaRegistry: { url: proxy.endpoint },
      ...(circuit === undefined ? {} : { circuit }),
      topics: { events: topicOf(topic, uri, { framing: 'registry' }) },
    }
    const service = await startWatched(program, config, join(folder, 'registry.json'), 90_000 + 3 * outageMs)
    kill = () => {
      service.worker.kill('SIGKILL')
    }
    await service.until('commits', (look) => committed(look, topic) > 0)
    await proxy.set('refuse')
    unknown = loadWith(ids.unknown)
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
    const records = (await known.stop()).records + (await unknown.stop()).records
    await settled(service, topic, records)
    await assertUnharmed(setting, service)
    await assertExact(setting, { brokers, topic, uri })
  } finally {
    kill()
    await Promise.all([known.stop().catch(() => undefined), unknown?.stop().catch(() => undefined)])
    await proxy.stop()
  }
}

/** Registers two versions of the schema of user events; resolves to their ids. */
async function register(
  url: string,
  subject: string,
): Promise<{ readonly known: number; readonly unknown: number }> {
  const schema = JSON.parse(await readFile('schemas/user-events.schema.json', 'utf8')) as object
  const known = await registered(url, subject, schema)
  const unknown = await registered(url, subject, { ...schema, title: 'User event, second version' })
  assert.ok(known > 0 && unknown > known, `two ids, got ${known} and ${unknown}`)
  return { known, unknown }
}

async function registered(url: string, subject: string, schema: object): Promise<number> {
  const answer = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schemaType: 'JSON', schema: JSON.stringify(schema) }),
  })
  const { id } = (await answer.json()) as { id?: number }
  if (id === undefined) throw new Error(`the registry answered ${answer.status}`)
  return id
}
