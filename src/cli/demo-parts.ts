import { rowLines } from '../delta/rows.ts'
import { loadSnapshot } from '../delta/snapshot.ts'
import { runTopics } from '../service/topics.ts'
import { openStore } from '../storage/open.ts'
import { createLogger } from '../telemetry/log.ts'
import { startTelemetry } from '../telemetry/tracing.ts'
import type { DemoParts } from './demo.ts'
import type { DemoTable } from './demo-report.ts'
import { rowsOf } from './table-source.ts'

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
