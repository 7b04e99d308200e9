import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadConfig } from '../../../config/load/load.ts'
import { addCounts, NO_COUNTS, type Counts, type DeadLetter } from '../../../src/core/batch.ts'
import { PipelineError } from '../../../src/core/errors.ts'
import type { DataType } from '../../../src/core/schema.ts'
import { loadSnapshot } from '../../../src/delta/log/snapshot.ts'
import { readRowLines } from '../../../src/delta/rewrite/row-lines.ts'
import { runTopics } from '../../../src/service/supervision/run-topics.ts'
import { LocalStore } from '../../../src/storage/local/local.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import { scriptedServer, type ScriptedServer } from '../../support/network/scripted-http.ts'
import { BatchSource } from './batch-source.ts'
import type { CompatibilityRow, Expected } from './row.ts'

/** Texts of schema files by name. */
export type SchemaFiles = Readonly<Record<string, string>>

/**
 * Carries the messages of a row through the service into a table on disk, as `kafka-delta run --until latest` does; only
 * the broker is not there. Returns what became of them, and calls `use` while the table exists.
 */
export async function carryRow(
  row: CompatibilityRow,
  use: (uri: string) => Promise<void> = () => Promise.resolve(),
): Promise<Expected> {
  const folder = await mkdtemp(join(tmpdir(), 'compatibility-'))
  const registry = row.registry === undefined ? undefined : await startStub(row.registry)
  try {
    const uri = join(folder, 'table')
    await writeFiles(folder, row.files ?? {})
    const config = configOf(row, { folder, uri, registry: registry?.endpoint })
    const letters: DeadLetter[] = []
    let counts: Counts = NO_COUNTS
    const error = await runTopics(config, {
      until: 'latest',
      log: createLogger({ level: 'silent' }),
      connectors: {
        source: (options) => new BatchSource(row.batches, options),
        deadLetters: () => ({
          write: (found) => {
            letters.push(...found)
            return Promise.resolve({ written: found.length, skipped: 0 })
          },
          close: () => Promise.resolve(),
        }),
      },
      onCommit: (commit) => (counts = addCounts(counts, commit.counts)),
    }).then(
      () => undefined,
      (thrown: unknown) => {
        if (thrown instanceof PipelineError) return `${thrown.code}: ${thrown.message}`.replaceAll(folder, '')
        throw thrown
      },
    )
    if (error !== undefined) return { error }
    await use(uri)
    const { tombstones, filtered, droppedFields } = counts
    return {
      ...(await tableAt(uri)),
      ...(letters.length === 0
        ? {}
        : { letters: letters.map(({ reason, message }) => `${reason}: ${message}`) }),
      ...(tombstones === 0 ? {} : { tombstones }),
      ...(filtered === 0 ? {} : { filtered }),
      ...(droppedFields === undefined ? {} : { droppedFields }),
    }
  } finally {
    await registry?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function configOf(
  { topic = {} }: CompatibilityRow,
  { folder, uri, registry }: { folder: string; uri: string; registry: string | undefined },
): ReturnType<typeof loadConfig> {
  // Paths of files are known only now.
  const given = JSON.stringify({ table: {}, ...topic }).replaceAll(/"file:([^"]+)"/g, (_, name: string) =>
    JSON.stringify(join(folder, name)),
  )
  const { table, ...more } = JSON.parse(given) as { table: object }
  return loadConfig({
    object: {
      kafka: { brokers: ['127.0.0.1:1'], groupId: 'compatibility' },
      ...(registry === undefined ? {} : { schemaRegistry: { url: registry } }),
      topics: { events: { flush: { count: 1, ageMs: 1_000 }, ...more, table: { uri, ...table } } },
    },
  })
}

async function writeFiles(folder: string, files: SchemaFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

/** A registry with these schemas, by `/schemas/ids/…`, `/schemas/guids/…` and `/subjects/…/versions/latest`. */
function startStub({
  ids,
  subjects = {},
  guids = {},
}: NonNullable<CompatibilityRow['registry']>): Promise<ScriptedServer> {
  const idAt = (url: string): number | undefined => {
    const [, kind, name = ''] = /^\/(schemas\/ids|schemas\/guids|subjects)\/([^/]+)/.exec(url) ?? []
    if (kind === 'schemas/ids') return Number(name)
    return (kind === 'subjects' ? subjects : guids)[decodeURIComponent(name)]
  }
  return scriptedServer(({ url }) => {
    const id = idAt(url)
    const found = id === undefined ? undefined : ids[id]
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    return found === undefined
      ? { status: 404, headers, body: '{"error_code":40403,"message":"Schema not found"}' }
      : { status: 200, headers, body: JSON.stringify({ id, ...found }) }
  })
}

async function tableAt(uri: string): Promise<Pick<Expected, 'columns' | 'rows'>> {
  const store = new LocalStore(uri)
  const snapshot = await loadSnapshot(store)
  const columns = Object.fromEntries(
    snapshot.metadata.schema.fields.map(({ name, type }) => [name, typeText(type)]),
  )
  const rows: string[] = []
  for await (const line of readRowLines(store, snapshot)) rows.push(line.trimEnd())
  return { columns, rows }
}

function typeText(type: DataType): string {
  if (typeof type === 'string') return type
  if (type.type === 'array') return `array<${typeText(type.elementType)}>`
  if (type.type === 'map') return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}>`
  return `struct<${type.fields.map(({ name, type: inner }) => `${name}: ${typeText(inner)}`).join(', ')}>`
}
