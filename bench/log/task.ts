// Runs one measured step on a table's log in a process of its own; its last line of output has time and peak
// memory.
import { randomUUID } from 'node:crypto'
import type { DataType, StructField } from '../../src/core/schema.ts'
import type { Add } from '../../src/delta/protocol/actions.ts'
import { writeCheckpoint } from '../../src/delta/commit/checkpoint-write.ts'
import { encodeCheckpointRows } from '../../src/delta/commit/checkpoint-rows.ts'
import { type CheckpointRow, checkpointSchemaOf } from '../../src/delta/log/checkpoint-schema.ts'
import { readLiveFiles } from '../../src/delta/log/live-files.ts'
import { findLogSegment } from '../../src/delta/log/log-segment.ts'
import { checkpointKey, commitKey } from '../../src/delta/protocol/paths.ts'
import { serialiseSchema } from '../../src/delta/schema/schema-json.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { type RowGroupSource, joinRowGroups } from '../../src/parquet/join.ts'
import { LocalStore } from '../../src/storage/local/local.ts'
import { columnNames, type LogMeasured, type LogTask } from './measured.ts'

/** Version whose checkpoint contains all files. */
const VERSION = 1n
const DAY_MS = 86_400_000
const NEVER = Number.MAX_SAFE_INTEGER

const task = JSON.parse(process.argv[2] ?? '') as LogTask
const store = new LocalStore(task.table)
const startMs = performance.now()
const startCpu = process.cpuUsage()
const files = await run()
const cpu = process.cpuUsage(startCpu)
const measured: LogMeasured = {
  files,
  wallS: (performance.now() - startMs) / 1e3,
  cpuS: (cpu.user + cpu.system) / 1e6,
  rssBytesMax: process.resourceUsage().maxRSS * 1024,
}
process.stdout.write(`${JSON.stringify(measured)}\n`)

async function run(): Promise<number> {
  switch (task.step) {
    case 'build': {
      await store.put(commitKey(VERSION), new TextEncoder().encode('{"commitInfo":{}}\n'))
      await store.put(checkpointKey(VERSION), joinRowGroups(groupsOf(task.files)))
      return task.files
    }
    case 'open and first commit': {
      const writer = await openTableWriter(store)
      const appId = randomUUID()
      await writer.append({
        adds: [fileOf(task.files + Number(writer.version))],
        txns: [{ appId, version: 1n, follows: undefined }],
        operationParameters: {},
        operationMetrics: {},
      })
      return 1
    }
    case 'checkpoint, unchanged files copied':
    case 'checkpoint, every file encoded anew': {
      const { version } = await findLogSegment(store)
      const copiedRowsMin = task.step.endsWith('anew') ? NEVER : undefined
      await writeCheckpoint(store, version, {
        nowMs: Date.now(),
        ...(copiedRowsMin === undefined ? {} : { copiedRowsMin }),
      })
      return task.files
    }
    case 'all files read':
    case 'all files read, without statistics': {
      let count = 0
      const omitted = task.step === 'all files read' ? [] : (['add.stats', 'add.tags'] as const)
      for await (const file of readLiveFiles(store, await findLogSegment(store), omitted)) {
        if (file.kind === 'add') count++
      }
      return count
    }
  }
}

/** Lays the checkpoint out like ours: actions other than files have a row group of their own. */
async function* groupsOf(count: number): AsyncGenerator<RowGroupSource> {
  const schema = checkpointSchemaOf('classic')
  yield* encodeCheckpointRows(schema, stateRows())
  yield* encodeCheckpointRows(schema, fileRows(count))
}

function* stateRows(): Generator<CheckpointRow> {
  yield { protocol: { minReaderVersion: 1, minWriterVersion: 2 } }
  const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} })
  const fields = columnNames.map((name) => field(name, 'string'))
  yield {
    metaData: {
      id: randomUUID(),
      format: { provider: 'parquet', options: {} },
      schemaString: serialiseSchema({ type: 'struct', fields: [...fields, field('day', 'date')] }),
      partitionColumns: ['day'],
      configuration: {},
    },
  }
  for (let partition = 0; partition < 8; partition++) {
    yield { txn: { appId: `app-${partition}`, version: 1_000_000n, lastUpdated: Date.now() } }
  }
}

function* fileRows(count: number): Generator<CheckpointRow> {
  for (let index = 0; index < count; index++) yield { add: fileOf(index) }
}

/** Returns an add action with about 400 characters of statistics, different for every index. */
function fileOf(index: number): Add {
  const day = new Date(Date.UTC(2024, 0, 1) + (index % 700) * DAY_MS).toISOString().slice(0, 10)
  const hash = (salt: number): string =>
    (Math.imul(index + salt, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')
  const name = `${hash(1)}-${hash(2).slice(4)}-4${hash(3).slice(5)}-${hash(4).slice(4)}-${hash(5)}${hash(6).slice(4)}`
  const values = (salt: number): object =>
    Object.fromEntries(
      columnNames.map((column, at) => [column, `${hash(salt + at)}-${hash(salt + at + 50)}`]),
    )
  return {
    path: `day=${day}/part-00000-${name}.c000.zstd.parquet`,
    partitionValues: { day },
    size: 1_000_000 + index,
    modificationTime: 1_700_000_000_000 + index,
    dataChange: false,
    stats: JSON.stringify({
      numRecords: 10_000 + (index % 977),
      minValues: values(100),
      maxValues: values(300),
      nullCount: Object.fromEntries(columnNames.map((column) => [column, index % 7])),
    }),
  }
}
