import { checkAdmin } from '../http/check-admin.ts'
import { checkConsole } from '../http/check-console.ts'
import { checkDeadLetters, checkDeadLetterTables } from '../dead-letters/check.ts'
import { checkCompatibility } from '../format/check-compatibility.ts'
import { checkFormat } from '../format/check-format.ts'
import { checkHttp } from '../http/check.ts'
import { checkKafka } from '../kafka/check.ts'
import { checkLog } from '../logging/check.ts'
import { checkMessages } from '../messages/check.ts'
import { checkRows } from '../rows/check.ts'
import { checkStorage } from '../storage/check.ts'
import { checkTransforms } from '../transforms/check.ts'
import { checkStoreUris } from './store-uris.ts'
import { checkDeadLetterTopic } from './topic-names.ts'
import type { ReportFault } from '../report.ts'
import type { ResolvedValues } from '../option-values.ts'
import type { SERVICE_OPTIONS } from '../schema.ts'
import type { TableConfig, TopicConfig } from '../types.ts'

/** Reports options outside `topics` that are valid one by one but contradict each other. */
export function checkService(config: ResolvedValues<typeof SERVICE_OPTIONS>, report: ReportFault): void {
  checkKafka(config.kafka, report)
  checkStorage(config.storage, report)
  checkHttp(config.http, report)
  checkConsole(config.console, report)
  checkAdmin(config, report)
  const { fetchBytesPerPartitionMax: batchBytes } = config.kafka
  const { bytes = Infinity } = config.budget
  if (bytes < batchBytes) {
    report(
      ['budget.bytes', 'kafka.fetchBytesPerPartitionMax'],
      `must be at least kafka.fetchBytesPerPartitionMax (${batchBytes}): value was ${bytes}`,
    )
  }
}

/** Reports options of one topic that are valid one by one but contradict each other, and files that do not exist. */
export function checkTopic(topic: TopicConfig, report: ReportFault): void {
  if (topic.creditBytes < 2 * topic.flush.bytes) {
    report(
      ['creditBytes', 'flush.bytes'],
      `must be at least twice flush.bytes (${2 * topic.flush.bytes}), so that one flush can fill while another is written: value was ${topic.creditBytes}`,
    )
  }
  const { baseMs, capMs } = topic.retry
  if (capMs < baseMs)
    report(['retry.capMs', 'retry.baseMs'], `must be at least retry.baseMs (${baseMs}): value was ${capMs}`)
  const { restart } = topic
  if (restart.capMs < restart.baseMs) {
    report(
      ['restart.capMs', 'restart.baseMs'],
      `must be at least restart.baseMs (${restart.baseMs}): value was ${restart.capMs}`,
    )
  }
  const { partitionColumns } = topic.table
  const duplicate = partitionColumns.find((column, index) => partitionColumns.indexOf(column) !== index)
  if (duplicate !== undefined) report(['table.partitionColumns'], `names ${JSON.stringify(duplicate)} twice`)
  checkMaintenance(topic.table, report)
  checkRows(topic, report)
  checkMessages(topic, report)
  checkLog(topic.log, report)
  checkTransforms(topic, report)
  checkCompatibility(topic, report)
  checkFormat(topic, report)
  checkDeadLetters(topic, report)
  checkDeadLetterTopic(topic, report)
  checkStoreUris(topic, report)
}

function checkMaintenance(
  { maintenance, optimize, vacuum, properties }: TableConfig,
  report: ReportFault,
): void {
  if (maintenance === 'external') {
    for (const [section, policy] of Object.entries({ optimize, vacuum })) {
      for (const given of Object.keys(policy))
        report([`table.${section}.${given}`], 'is set, but table.maintenance is "external"')
    }
  }
  const { everyCommits, everyMs, ...how } = optimize
  const [given] = Object.keys(how)
  if (given !== undefined && everyCommits === undefined && everyMs === undefined) {
    const when = 'table.optimize.everyCommits'
    report([`table.optimize.${given}`], `is set, but neither ${when} nor table.optimize.everyMs is`)
  }
  if (vacuum.retentionHours !== undefined && vacuum.everyMs === undefined)
    report(['table.vacuum.retentionHours'], 'is set, but table.vacuum.everyMs is not')
  if ('delta.checkpointInterval' in properties) {
    const key = 'table.properties.delta.checkpointInterval'
    report([key, 'table.properties'], 'must be set as table.checkpointInterval')
  }
}

/** Reports entries of `topics` that conflict: they read the same Kafka topic, or write to one table under one appId. */
export function checkTopics(topics: Readonly<Record<string, TopicConfig>>, report: ReportFault): void {
  const entries = Object.entries(topics)
  for (const [index, [name, topic]] of entries.entries()) {
    for (const [otherName, other] of entries.slice(0, index)) {
      if (topic.topic === other.topic) {
        report(
          [`topics.${name}.topic`, `topics.${otherName}.topic`],
          `topics.${otherName} reads ${JSON.stringify(topic.topic)} too, but a consumer group assigns each partition to only one of them; write a second table by another process with another kafka.groupId`,
        )
      } else if (topic.appId === other.appId && topic.table.uri === other.table.uri) {
        report(
          [`topics.${name}.appId`, `topics.${otherName}.appId`],
          `topics.${otherName} writes to the same table under the same appId ${JSON.stringify(topic.appId)}`,
        )
      }
    }
  }
  checkDeadLetterTables(topics, report)
}
