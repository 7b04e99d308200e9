import { link, mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FedTopic, Night } from '../support/night.ts'
import type { Act, Scenario } from '../support/scenario.ts'
import { ordersFailed, READY } from '../support/wanted.ts'

interface Field {
  readonly name: string
  readonly type: unknown
  readonly nullable: boolean
  readonly metadata: object
}

interface Action {
  readonly protocol?: { readonly minReaderVersion: number; readonly minWriterVersion: number }
  readonly metaData?: { readonly id: string; readonly schemaString: string }
}

/** What other writers and people do to a table. */
export const TABLE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'table-deleted',
    fault: 'The folder of the table is deleted while the service writes to it',
    does: 'the topic stops before it writes; `restart` creates the table anew and reads from `startFrom`',
    remedy: 'restore the folder, or `POST /admin/topics/:name/restart` for a new table',
    code: 'KD_TABLE_REPLACED',
    prepare: async (night) => ({
      ...(await changed(
        night,
        ({ uri }) => rm(uri, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }),
        {
          failure: 'KD_TABLE_REPLACED',
          reason: /deleted|replaced/,
          isCarriedAnew: true,
        },
      )),
      remedy: async (process) => {
        const { code, body } = await process.verb('orders', 'restart')
        if (code !== 200) throw new Error(`restart answered ${code}: ${JSON.stringify(body)}`)
      },
      recovered: READY,
    }),
  },
  {
    name: 'table-replaced',
    fault: 'Another writer drops the table and creates another one in its place',
    does: 'the topic stops before it writes; nothing is put into the log of the other table',
    remedy: 'choose another `table.uri`, or restart the topic to write to the new table',
    code: 'KD_TABLE_REPLACED',
    isShort: true,
    prepare: async (night) => {
      let replaced = ''
      const act = await changed(night, replace, { failure: 'KD_TABLE_REPLACED', reason: /deleted|replaced/ })
      return {
        ...act,
        verify: async () => {
          const names = await readdir(join(replaced, '_delta_log'))
          const other = names.filter((name) => /^\d{20}\.json$/.test(name))
          return other.length === 1 ? [] : [`the log of the other table has ${other.join(', ')}`]
        },
      }
      async function replace({ uri }: FedTopic): Promise<void> {
        replaced = uri
        const actions = await logOf(uri, 0)
        await rm(uri, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 })
        await mkdir(join(uri, '_delta_log'), { recursive: true })
        const lines = actions.flatMap(({ protocol, metaData }) => [
          ...(protocol === undefined ? [] : [{ protocol }]),
          ...(metaData === undefined ? [] : [{ metaData: { ...metaData, id: crypto.randomUUID() } }]),
        ])
        await commit(uri, lines)
      }
    },
  },
  {
    name: 'table-unsupported',
    fault: 'Another writer enables a feature that kafka-delta does not support',
    does: 'the topic stops before its next commit',
    remedy: 'drop the feature with the engine that enabled it, then restart the topic',
    code: 'KD_TABLE_UNSUPPORTED',
    prepare: (night) =>
      changed(
        night,
        async ({ uri }) => {
          const features = ['appendOnly', 'invariants', 'nightmares']
          const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: features }
          await commit(uri, [{ protocol }])
        },
        { failure: 'KD_TABLE_UNSUPPORTED', reason: /nightmares/ },
      ),
  },
  {
    name: 'column-type-changed',
    fault: 'Another writer changes the type of a column',
    does: 'the flush is dropped and read again; as the rows cannot fit, the topic fails',
    remedy: 'change the contract or the table',
    code: 'KD_SCHEMA_MISMATCH',
    prepare: (night) =>
      changed(
        night,
        async ({ uri }) => {
          const metaData = (await logOf(uri, 0)).find((action) => action.metaData !== undefined)?.metaData
          if (metaData === undefined) throw new Error('the table has no metadata')
          const schema = JSON.parse(metaData.schemaString) as { readonly fields: readonly Field[] }
          const fields = schema.fields.map((field) =>
            field.name === 'country' ? { ...field, type: 'binary' } : field,
          )
          await commit(uri, [
            { metaData: { ...metaData, schemaString: JSON.stringify({ ...schema, fields }) } },
          ])
        },
        { failure: 'KD_SCHEMA_MISMATCH', reason: /country/ },
      ),
  },
  {
    name: 'contract-does-not-fit',
    fault: 'The contract does not fit the table at the start',
    does: 'the topic fails before it reads; other topics go on',
    remedy: 'change the contract or the table, or set another `table.uri`',
    code: 'KD_SCHEMA_MISMATCH',
    isShort: true,
    prepare: async (night) => {
      const [orders, local] = [await night.topic(), await night.topic()]
      await mkdir(join(orders.uri, '_delta_log'), { recursive: true })
      const field = { name: 'event_id', type: 'double', nullable: true, metadata: {} }
      const schemaString = JSON.stringify({ type: 'struct', fields: [field] })
      const format = { provider: 'parquet', options: {} }
      const metaData = {
        id: crypto.randomUUID(),
        format,
        schemaString,
        partitionColumns: [],
        configuration: {},
      }
      await commit(orders.uri, [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, { metaData }])
      return {
        config: await night.config({ orders: orders.entry(), local: local.entry() }),
        said: ordersFailed(orders.topic, 'KD_SCHEMA_MISMATCH', /event_id/),
        exact: [local],
        watched: [orders, local],
      }
    },
  },
]

interface Fate {
  readonly failure: string
  readonly reason: RegExp
  /** True where the remedy makes the table whole. */
  readonly isCarriedAnew?: boolean
}

/** Two topics; the table of one is changed by somebody else, which stops that topic. */
async function changed(night: Night, change: (topic: FedTopic) => Promise<void>, fate: Fate): Promise<Act> {
  const [orders, local] = [await night.topic(), await night.topic()]
  return {
    config: await night.config({ orders: orders.entry(), local: local.entry() }),
    fault: () => change(orders),
    said: ordersFailed(orders.topic, fate.failure, fate.reason),
    exact: fate.isCarriedAnew === true ? [local, { ...orders, areRowsOnly: true }] : [local],
    watched: [orders, local],
  }
}

async function logOf(uri: string, version: number): Promise<readonly Action[]> {
  const text = await readFile(join(uri, '_delta_log', `${String(version).padStart(20, '0')}.json`), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Action)
}

/** Commits actions as another writer does: as the next version that nobody has. */
async function commit(uri: string, actions: readonly object[]): Promise<void> {
  const log = join(uri, '_delta_log')
  const written = join(log, `.night-${crypto.randomUUID()}`)
  const info = { commitInfo: { timestamp: Date.now(), operation: 'NIGHT' } }
  await writeFile(written, `${[info, ...actions].map((action) => JSON.stringify(action)).join('\n')}\n`)
  for (;;) {
    const versions = (await readdir(log)).flatMap((name) => /^(\d{20})\.json$/.exec(name)?.[1] ?? [])
    const next = versions.length === 0 ? 0 : Math.max(...versions.map(Number)) + 1
    try {
      await link(written, join(log, `${String(next).padStart(20, '0')}.json`))
      await unlink(written)
      return
    } catch {
      await sleep(5)
    }
  }
}
