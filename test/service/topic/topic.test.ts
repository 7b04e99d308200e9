// Goal: whatever cannot be opened or closed, everything else that was opened for a topic is given back.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../../config/load/load.ts'
import type { DeadLetter } from '../../../src/core/batch.ts'
import { Budget, type BudgetMember } from '../../../src/core/credit/budget.ts'
import type { StructType } from '../../../src/core/schema.ts'
import { SerialQueue } from '../../../src/core/serial-queue.ts'
import type { TopicEvent } from '../../../src/service/topic/events.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { TablePool } from '../../../src/service/table/table-pool.ts'
import { openTopic, type TopicConnectors, type TopicServices } from '../../../src/service/topic/topic.ts'
import { openStore } from '../../../src/storage/open/open.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { LiveSource, LiveTopic } from '../../support/flow/live-source.ts'

let folder = ''
let contract = ''
let runs = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-topic-'))
  contract = join(folder, 'contract.json')
  await writeFile(contract, '{"type":"object","properties":{"id":{"type":"integer"}}}')
})
after(() => rm(folder, { recursive: true, force: true }))

/** A budget that knows how many topics have a share of it. */
class CountedBudget extends Budget {
  readonly members = new Set<BudgetMember>()

  override join(member: BudgetMember): void {
    this.members.add(member)
    super.join(member)
  }

  override leave(member: BudgetMember): void {
    this.members.delete(member)
    super.leave(member)
  }
}

interface Bench {
  readonly open: () => ReturnType<typeof openTopic>
  readonly budget: CountedBudget
  readonly closed: string[]
  readonly lines: string[]
  readonly events: TopicEvent[]
  readonly openStores: () => number
  /** Returns the columns of the table as they are now. */
  readonly columns: () => Promise<Readonly<Record<string, string>>>
}

function bench(connectors: Partial<TopicConnectors>, options: object = {}): Bench {
  const uri = join(folder, String(++runs))
  const config = loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'] },
      topics: { events: { contract, table: { uri }, ...options } },
    },
  })
  const topic = config.topics['events']
  assert.ok(topic !== undefined)
  const budget = new CountedBudget(1e9)
  const closed: string[] = []
  const lines: string[] = []
  const events: TopicEvent[] = []
  let stores = 0
  const tables = new TablePool(async (at) => {
    const store = await openStore(at, config.storage)
    stores++
    const close = store.close.bind(store)
    return Object.assign(store, { close: () => close().finally(() => stores--) })
  })
  const services: TopicServices = {
    config,
    until: 'stopped',
    log: createLogger({
      level: 'warn',
      pretty: false,
      destination: { write: (line) => void lines.push(line) },
    }),
    connectors: {
      source: (source) => new LiveSource(new LiveTopic(), source),
      deadLetters: () => ({
        write: () => Promise.resolve({ written: 0, skipped: 0 }),
        close: () => Promise.resolve(void closed.push('dead letters')),
      }),
      ...connectors,
    },
    maintenanceQueue: new SerialQueue(),
    tables,
    budget,
  }
  return {
    open: () => openTopic(topic, services, (event) => events.push(event)),
    budget,
    closed,
    lines,
    events,
    openStores: () => stores,
    columns: async () => {
      const store = await openStore(uri, {})
      const { metadata } = await loadSnapshot(store)
      await store.close()
      const { fields } = JSON.parse(metadata.schemaString ?? '{"fields":[]}') as StructType
      return Object.fromEntries(fields.map(({ name, type }) => [name, JSON.stringify(type)]))
    },
  }
}

test('When one part cannot be closed, credit and table are given back, and that error is thrown', async () => {
  const { open, budget, closed, openStores } = bench({
    source: (options) => {
      const source = new LiveSource(new LiveTopic(), options)
      return Object.assign(source, { close: () => Promise.reject(new Error('the group did not answer')) })
    },
  })
  const pipeline = await open()
  assert.deepEqual([budget.members.size, openStores()], [1, 1])
  await assert.rejects(pipeline.close(), { message: 'the group did not answer' })
  assert.deepEqual([budget.members.size, openStores(), closed], [0, 0, ['dead letters']])
})

test('When several parts cannot be closed, the first error is thrown and the others are logged', async () => {
  const { open, budget, lines, openStores } = bench({
    source: (options) => {
      const source = new LiveSource(new LiveTopic(), options)
      return Object.assign(source, { close: () => Promise.reject(new Error('no group')) })
    },
    deadLetters: () => ({
      write: () => Promise.resolve({ written: 0, skipped: 0 }),
      close: () => Promise.reject(new Error('no producer')),
    }),
  })
  const pipeline = await open()
  await assert.rejects(pipeline.close(), { message: 'no producer' })
  assert.equal(lines.filter((line) => line.includes('no group')).length, 1)
  assert.deepEqual([budget.members.size, openStores()], [0, 0])
})

test('When the source cannot be made, credit, dead letters and table are given back', async () => {
  const { open, budget, closed, openStores } = bench({
    source: () => {
      throw new Error('no such rack')
    },
  })
  await assert.rejects(open(), { message: 'no such rack' })
  assert.deepEqual([budget.members.size, openStores(), closed], [0, 0, ['dead letters']])
})

test('When the dead-letter topic cannot be made, the dead-letter table is given back too', async () => {
  const { open, budget, openStores } = bench(
    {
      deadLetters: () => {
        throw new Error('no such topic')
      },
    },
    { deadLetters: { to: 'both', table: join(folder, 'letters') } },
  )
  await assert.rejects(open(), { message: 'no such topic' })
  assert.deepEqual([budget.members.size, openStores()], [0, 0])
})

test('Paths that match no field are events of the topic: at the first other spelling, otherwise at the end', async () => {
  const live = new LiveTopic()
  live.push(['{"id":1,"user.email":"a@b"}', '{"id":2}'])
  const { open, events } = bench(
    { source: (options) => new LiveSource(live, { ...options, until: 'latest' }) },
    { drop: ['user.email', 'typo', '"user.email"'] },
  )
  const pipeline = await open()
  await pipeline.run()
  await pipeline.close()
  const reported = events.flatMap((event) => (event.kind === 'path-unmatched' ? [event.path] : []))
  assert.deepEqual(reported, ['user.email', 'typo'])
})

test('New columns of transformed messages are integers only if their numbers are written so', async () => {
  const live = new LiveTopic()
  const letters: DeadLetter[] = []
  const { open, columns, events } = bench(
    {
      source: (options) => new LiveSource(live, { ...options, until: 'latest' }),
      deadLetters: () => ({
        write: (given) => {
          letters.push(...given)
          return Promise.resolve({ written: given.length, skipped: 0 })
        },
        close: () => Promise.resolve(),
      }),
    },
    {
      drop: ['x'],
      rename: { price: 'cost' },
      transforms: {
        copy: 'price',
        sum: 'price + fee',
        half: 'n / `2`',
        or: 'price || `0`',
        of: '{p: price}',
      },
    },
  )
  for (const value of [
    '{"id":1.0,"price":2.0,"fee":1,"n":2,"list":[1.0],"x":0}',
    '{"id":2,"price":2.5,"fee":1,"n":3,"list":[1.5],"x":0}',
  ]) {
    live.push([value])
    const pipeline = await open()
    await pipeline.run()
    await pipeline.close()
  }
  assert.deepEqual(
    letters.map(({ message }) => message),
    [],
  )
  assert.equal(events.filter(({ kind }) => kind === 'committed').length, 2)
  const found = await columns()
  for (const name of ['cost', 'copy', 'sum', 'half', 'or']) assert.equal(found[name], '"double"', name)
  assert.deepEqual([found['id'], found['n'], found['fee']], ['"long"', '"long"', '"long"'])
  assert.match(found['of'] ?? '', /"p","type":"double"/)
  assert.match(found['list'] ?? '', /"elementType":"double"/)
})
