import { rowLines } from '../../delta/rewrite/row-lines.ts'
import { loadSnapshot } from '../../delta/log/snapshot.ts'
import { runTopics } from '../../service/supervision/run-topics.ts'
import { openStore } from '../../storage/open/open.ts'
import { createLogger } from '../../telemetry/log.ts'
import { startTelemetry } from '../../telemetry/tracing/tracing.ts'
import type { DemoTable } from './report.ts'
import { rowsOf } from '../table/source.ts'
import type { Config } from '../../../config/types.ts'
import type { Counts } from '../../core/batch.ts'

/** Where a row came from: no two rows may share it. */
const POSITION = ['_kafka_partition', '_kafka_offset']
/** What fits a line of a terminal. */
const SAMPLE = ['event_id', 'event_type', 'timestamp', 'amount', '_kafka_partition', '_kafka_offset']

const run: DemoParts['run'] = async (config, onCommit) => {
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
      rows += rowsOf(add.stats) ?? NaN
    }
    const positions = new Set<string>()
    for await (const line of rowLines(store, snapshot, { columns: POSITION })) positions.add(line)
    const sample: string[] = []
    for await (const line of rowLines(store, snapshot, { columns: SAMPLE, limit: sampleRows })) {
      sample.push(line.trimEnd())
    }
    return { version: snapshot.version, files, bytes, rows, positions: positions.size, sample }
  } finally {
    await store.close()
  }
}

/** The demo's parts as they really are: the service's own pipeline, and the table as its log tells it. */
export const DEMO_PARTS: DemoParts = { run, readTable }
/** What the demo needs of the rest of the program. */

export interface DemoParts {
  /** Runs all topics of a configuration up to the ends as they are now; tells the counts of each commit. */
  readonly run: (config: Config, onCommit: (counts: Counts) => void) => Promise<unknown>
  /** Reads the table back, with `sampleRows` of its rows. */
  readonly readTable: (uri: string, sampleRows: number) => Promise<DemoTable>
}
