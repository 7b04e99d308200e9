import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Address } from '../../support/servers/s3.ts'
import { faultProxy, type FaultProxy } from '../../support/network/fault-proxy.ts'
import { nameForTests } from '../../support/servers/servers.ts'
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
import { startWatched, valueOf, type WatchedService } from './service.ts'

/** What a scenario of stores needs beside. */
export interface StoreSetting extends Setting {
  readonly brokers: readonly string[]
  readonly s3: S3Address
}

/** Records that the healthy topic must gain while the other one waits. */
const GAINED = 2_000

interface Stage extends StoreSetting {
  readonly proxy: FaultProxy
  readonly service: WatchedService
  /** The healthy topic's entry, topic and bucket; and those of the one whose store breaks. */
  readonly whole: string
  readonly broken: string
}

/**
 * Two topics in two buckets under full input. First one bucket fails: the other topic keeps its rate. Then no store takes
 * connections: the service waits, reads no more than its budget and goes on when they are back. Then commits are carried
 * out, and their answers lost. In the end both tables are exact.
 */
export async function storesFail(setting: StoreSetting): Promise<void> {
  const { program, folder, brokers, s3, rate, seed, circuit } = setting
  const proxy = await faultProxy(s3.endpoint)
  const [whole, broken] = [nameForTests('whole'), nameForTests('broken')]
  await createBuckets(s3, [whole, broken])
  const flags = ['--partitions', '3', '--rate', String(rate), '--bad-every', '500', '--seed', String(seed)]
  const load = startLoad(program, brokers, ['-t', whole, '-t', broken, ...flags])
  let service: WatchedService | undefined
  try {
    const { region, accessKeyId, secretAccessKey } = s3
    const config = {
      kafka: { brokers, groupId: whole },
      budget: { bytes: BUDGET_BYTES },
      storage: {
        s3: { endpoint: proxy.endpoint, region, accessKeyId, secretAccessKey, forcePathStyle: true },
      },
      ...(circuit === undefined ? {} : { circuit }),
      topics: Object.fromEntries(
        [whole, broken].map((name) => [name, topicOf(name, `s3://${name}/events`)] as const),
      ),
    }
    // The service would refuse topics that are not there yet.
    await Promise.all([whole, broken].map((topic) => topicFilled(brokers, topic)))
    service = await startWatched(program, config, join(folder, 'stores.json'), 60_000 + 3 * setting.outageMs)
    const stage = { ...setting, proxy, service, whole, broken }
    await service.until(
      'commits of both',
      (look) => committed(look, whole) > 0 && committed(look, broken) > 0,
    )
    await oneFails(stage)
    await allRefuse(stage)
    await answersAreLost(stage)
    const { topics } = await load.stop()
    for (const { topic, records } of topics) await settled(service, topic, records)
    await assertUnharmed(setting, service)
    const env = {
      AWS_S3_ENDPOINT: s3.endpoint,
      AWS_S3_FORCE_PATH_STYLE: 'true',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    await Promise.all(
      [whole, broken].map((name) =>
        assertExact(setting, { brokers, topic: name, uri: `s3://${name}/events` }, env),
      ),
    )
  } finally {
    service?.worker.kill('SIGKILL')
    await load.stop().catch(() => undefined)
    await proxy.stop()
  }
}

/** One bucket fails: its topic waits, the process is degraded, and the other topic gains as many records as before. */
async function oneFails({ proxy, service, whole, broken, say }: Stage): Promise<void> {
  await proxy.set('unavailable', ({ url }) => url.startsWith(`/${broken}/`))
  const open = await service.until(
    'one open circuit',
    (look) => look.circuits[`s3://${broken}`] === 'open' && look.status === 'degraded',
  )
  assert.equal(open.code, 200, 'what others carry is ready')
  assert.equal(open.circuits[`s3://${whole}`], 'closed')
  const after = await service.until(
    'the other topic going on',
    (look) => committed(look, whole) >= committed(open, whole) + GAINED,
  )
  assert.equal(
    committed(after, broken),
    committed(open, broken),
    'the topic of the failing bucket commits nothing',
  )
  say(
    `  one store fails: the other topic gained ${committed(after, whole) - committed(open, whole)} records, this one 0 and lags by ${valueOf(after, 'kafka_delta_lag', { topic: broken })}`,
  )
  await proxy.set('pass')
  await service.until('a closed circuit', (look) => isClosed(look.circuits) && look.status === 'ready')
}

/** No connection is taken for a while: both topics wait, and the process is not ready. */
async function allRefuse({ proxy, service, whole, broken, outageMs, say }: Stage): Promise<void> {
  const begunMs = Date.now()
  await proxy.set('refuse')
  const open = await service.until(
    'open circuits',
    ({ circuits, status }) =>
      Object.values(circuits).every((state) => state !== 'closed') && status === 'unavailable',
  )
  assert.equal(open.code, 503)
  await sleep(Math.max(0, outageMs - (Date.now() - begunMs)))
  const { lag, rows } = {
    lag: valueOf(await service.look(), 'kafka_delta_lag'),
    rows: [whole, broken].map((topic) => committed(open, topic)),
  }
  assert.ok(lag > 0, 'records pile up in Kafka')
  await proxy.set('pass')
  const backMs = Date.now()
  await service.until(
    'commits of both',
    (look) =>
      look.status === 'ready' &&
      Object.values(look.circuits).every((state) => state === 'closed') &&
      [whole, broken].every((topic, at) => committed(look, topic) > (rows[at] ?? 0)),
  )
  for (const bucket of [whole, broken]) {
    const states = service.circuits.get(`s3://${bucket}`) ?? []
    assert.ok(states.includes('open') && states.at(-1) === 'closed', `/metrics showed ${states.join(', ')}`)
    const told = service.worker.lines.filter((line) => line.includes(`"s3://${bucket}"`)).join('\n')
    assert.match(told, /Circuit half-open/)
  }
  say(
    `  no store takes connections for ${outageMs} ms: lag ${lag} by then, commits again ${Date.now() - backMs} ms after`,
  )
}

/** Every commit is carried out and its answer lost: it must be found in the log, and not be made twice. */
async function answersAreLost({ proxy, service, say }: Stage): Promise<void> {
  await proxy.set('ambiguous', ({ method, url }) => method === 'PUT' && /_delta_log\/\d{20}\.json/.test(url))
  const before = valueOf(await service.look(), 'kafka_delta_puts_ambiguous_total')
  await service.until(
    'ambiguous puts',
    (look) => proxy.met.ambiguous > 1 && valueOf(look, 'kafka_delta_puts_ambiguous_total') > before,
  )
  await proxy.set('pass')
  await service.until('ready', ({ status, circuits }) => status === 'ready' && isClosed(circuits))
  say(`  the answers of ${proxy.met.ambiguous} commits were lost`)
}

function isClosed(circuits: Readonly<Record<string, string>>): boolean {
  return Object.values(circuits).every((state) => state === 'closed')
}

async function createBuckets(s3: S3Address, names: readonly string[]): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  for (const Bucket of names) await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
}
