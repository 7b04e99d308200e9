import type { Config, TopicConfig } from '../../../config/types.ts'
import { appIdOf } from '../../../operators/commit-delta.ts'
import { PipelineError } from '../../core/errors.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import type { Circuits } from '../../resilience/circuits.ts'
import type { Logger } from '../../telemetry/log.ts'
import { createStatsd, type StatsdOptions } from '../../telemetry/metrics/statsd.ts'
import { ingestMetrics } from '../metrics/ingest-metrics.ts'
import { patienceOf } from '../connections/retry-options.ts'
import { runService } from './run.ts'
import { tablesOf } from '../table/target.ts'

/** What a run is told beside its configuration. */
export interface IngestOptions {
  readonly until: 'stopped' | 'latest'
  /** The last offset that counts as ingested, by partition. */
  readonly seekOffsets: ReadonlyMap<number, bigint>
  /** Where metrics go; nowhere where absent. */
  readonly statsd?: Omit<StatsdOptions, 'onFailure'>
  readonly notes: readonly string[]
}

/** Runs the service for the one topic of kafka-delta-ingest. Resolves to the exit code; throws what stopped the topic. */
export async function runIngest(config: Config, entry: string, options: IngestOptions): Promise<number> {
  const topic = config.topics[entry]
  if (topic === undefined) throw new Error(`Broken invariant: no topic ${entry}`)
  const { until, seekOffsets, notes, statsd: place } = options
  let log: Logger | undefined
  const statsd =
    place === undefined
      ? undefined
      : createStatsd({
          ...place,
          onFailure: (error) =>
            log?.warn({ err: error, host: place.host, port: place.port }, 'Metrics cannot be sent'),
        })
  try {
    return await runService(config, {
      until,
      notes,
      prepare: async (opened, circuits) => {
        log = opened
        await seekTable(config, topic, seekOffsets, opened, circuits)
      },
      ...(statsd === undefined ? {} : { observer: ingestMetrics(statsd) }),
    })
  } finally {
    await statsd?.close()
  }
}

/** Times that the offsets are looked at again because another writer was faster. */
const ATTEMPTS_MAX = 10

/**
 * Notes in the table that everything up to these offsets counts as ingested, one commit for all partitions of which the
 * table holds nothing yet. Offsets that the table has reached already change nothing, so that the same command line can
 * be run again.
 * @throws KD_TABLE_MISSING; KD_COMMAND_INVALID where the table stands before one of the offsets, which would leave a gap
 */
export async function seekTable(
  config: Config,
  topic: TopicConfig,
  offsets: ReadonlyMap<number, bigint>,
  log: Logger,
  circuits?: Circuits,
): Promise<void> {
  if (offsets.size === 0) return
  const lease = await tablesOf(config, circuits).lease(topic.table.uri, patienceOf(topic))
  try {
    const table = await lease.existing({})
    if (table === undefined)
      throw new PipelineError('KD_TABLE_MISSING', 'expected a table to note offsets in', {
        uri: topic.table.uri,
      })
    for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
      const missing = await missingOffsets(table, topic, offsets)
      if (missing.length === 0) return
      const outcome = await table.append(seekOf(topic, missing))
      if (outcome.kind !== 'committed') continue
      const noted = missing.map(([partition, offset]) => `${partition}:${offset}`).join(', ')
      log.info(
        { offsets: noted, version: String(outcome.version) },
        'Offsets noted as ingested, as --seek_offsets asks',
      )
      return
    }
    throw new PipelineError('KD_COMMIT_CONTENDED', `offsets changed ${ATTEMPTS_MAX} times before a commit`, {
      uri: topic.table.uri,
    })
  } finally {
    await lease.release()
  }
}

async function missingOffsets(
  table: TableWriter,
  { appId }: TopicConfig,
  offsets: ReadonlyMap<number, bigint>,
): Promise<readonly (readonly [number, bigint])[]> {
  const missing: (readonly [number, bigint])[] = []
  const behind: string[] = []
  for (const [partition, offset] of offsets) {
    const held = await table.txn(appIdOf(appId, partition))
    if (held === undefined) missing.push([partition, offset])
    else if (held < offset)
      behind.push(`partition ${partition}: the table holds ${held}, asked was ${offset}`)
  }
  if (behind.length === 0) return missing
  throw new PipelineError(
    'KD_COMMAND_INVALID',
    `--seek_offsets would leave records out, which takes another --app_id: ${behind.join('; ')}`,
    { uri: table.uri },
  )
}

function seekOf(
  { appId }: TopicConfig,
  offsets: readonly (readonly [number, bigint])[],
): Parameters<TableWriter['append']>[0] {
  const now = Date.now()
  return {
    adds: [],
    txns: offsets.map(([partition, version]) => ({
      appId: appIdOf(appId, partition),
      version,
      lastUpdated: now,
      follows: undefined,
    })),
    operationParameters: { outputMode: 'Append', queryId: appId, epochId: '0' },
    operationMetrics: { numAddedFiles: '0', numRemovedFiles: '0', numOutputRows: '0' },
  }
}
