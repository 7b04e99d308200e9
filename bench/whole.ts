// The whole pipeline: ingests the topic into a Delta table, up to its end.
import { runTopics } from '../src/service/supervision/run-topics.ts'
import { createLogger } from '../src/telemetry/log.ts'
import { loadContract } from '../src/contract/contract.ts'
import { withoutInternalMetadata } from '../src/contract/json-schema/delta-type.ts'
import { createTable } from '../src/delta/maintenance/create.ts'
import { LocalStore } from '../src/storage/local/local.ts'
import { configOf, entryOf } from './config.ts'
import { report, startMeasuring, taskOfProcess } from './measured.ts'

const task = taskOfProcess()
const config = configOf(task)
if (task.records > 0) {
  const log = createLogger({ level: config.log.level })
  await createExistingTable()
  let startMs = 0
  startMeasuring()
  const summaries = await runTopics(config, {
    until: 'latest',
    log,
    onOpen: () => (startMs = performance.now()),
  })
  const wallMs = performance.now() - startMs
  const counts = summaries[entryOf(task)]?.counts
  if (counts?.rows !== task.records)
    throw new Error(`${task.records} rows were expected: ${JSON.stringify(counts)}`)
  report(counts.records, wallMs, counts.slow ?? {})
} else report(0, 0)

async function createExistingTable(): Promise<void> {
  const { existingTable, topicConfig } = task
  if (existingTable === undefined) return
  const { uri } = topicConfig.table as { readonly uri: string }
  const { contract, partitionColumns } = existingTable
  const { fields } = withoutInternalMetadata(loadContract(contract, { source: 'bench' }).schema)
  await createTable(new LocalStore(uri), {
    schema: { type: 'struct', fields },
    partitionColumns,
    configuration: {},
  })
}
