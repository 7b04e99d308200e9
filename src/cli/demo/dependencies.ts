import { readRowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import { runTopics } from '../../service/supervision/run-topics.ts'
import { openStore } from '../../storage/open/open.ts'
import { createLogger } from '../../telemetry/log.ts'
import { startTelemetry } from '../../telemetry/tracing/tracing.ts'
import type { DemoTable } from './report.ts'
import { numRecordsOf } from '../table/command.ts'
import type { Config } from '../../../config/types.ts'
import type { Counts } from '../../core/batch.ts'

/** Columns that identify the Kafka record of a row; no two rows may have the same values. */
const POSITION = ['_kafka_partition', '_kafka_offset']
/** Columns that fit into one line of a terminal. */
const SAMPLE = ['event_id', 'event_type', 'timestamp', 'amount', '_kafka_partition', '_kafka_offset']

const run: DemoDependencies['run'] = async (config, onCommit) => {
  const log = createLogger({ level: config.log.level })
  const telemetry = startTelemetry(process.env, (message) => {
    log.warn(message)
  })
  try {
    await runTopics(config, {
      until: 'latest',
      log,
      onCommit: ({ counts }) => {
        onCommit(counts)
      },
    })
  } finally {
    await telemetry.shutdown()
  }
}

async function readTable(uri: string, sampleRows: number): Promise<DemoTable> {
  const store = await openStore(uri)
  try {
    const snapshot = await loadSnapshot(store)
    let files = 0
    let bytes = 0
    let rows = 0
    for await (const add of snapshot.files()) {
      files++
      bytes += add.size
      rows += numRecordsOf(add.stats) ?? NaN
    }
    const positions = new Set<string>()
    for await (const line of readRowLines(store, snapshot, { columns: POSITION })) positions.add(line)
    const sample: string[] = []
    for await (const line of readRowLines(store, snapshot, { columns: SAMPLE, limit: sampleRows })) {
      sample.push(line.trimEnd())
    }
    return { version: snapshot.version, files, bytes, rows, distinctOffsets: positions.size, sample }
  } finally {
    await store.close()
  }
}

/** Runs the demo with the service's own pipeline and reads the table back from its log. */
export const DEMO_DEPENDENCIES: DemoDependencies = { run, readTable }

/** Describes the dependencies of the demo that tests replace. */
export interface DemoDependencies {
  /**
   * Runs all topics of a configuration up to their current end offsets. `onCommit` receives the counts of
   * each commit.
   */
  readonly run: (config: Config, onCommit: (counts: Counts) => void) => Promise<unknown>
  /** Reads the table back, with `sampleRows` of its rows. */
  readonly readTable: (uri: string, sampleRows: number) => Promise<DemoTable>
}
