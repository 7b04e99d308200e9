// The whole pipeline: ingests the topic into a Delta table, up to its end.
import { runTopics } from '../src/service/supervision/run-topics.ts'
import { createLogger } from '../src/telemetry/log.ts'
import { configOf } from './config.ts'
import { report, taskOfProcess } from './measured.ts'

const task = taskOfProcess()
const config = configOf(task)
if (task.records > 0) {
  const log = createLogger({ level: config.log.level })
  let startMs = 0
  const summaries = await runTopics(config, {
    until: 'latest',
    log,
    onOpen: () => (startMs = performance.now()),
  })
  const wallMs = performance.now() - startMs
  const counts = summaries[task.topic]?.counts
  if (counts?.rows !== task.records)
    throw new Error(`${task.records} rows were expected: ${JSON.stringify(counts)}`)
  report(counts.records, wallMs)
} else report(0, 0)
