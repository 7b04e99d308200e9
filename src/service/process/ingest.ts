import type { Config, TopicConfig } from '../../../config/types.ts'
import { appIdOf } from '../../../operators/commit-delta.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { runThenCleanUp } from '../../core/concurrency.ts'
import { PipelineError } from '../../core/errors.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import type { Circuits } from '../../resilience/circuit-registry.ts'
import type { Logger } from '../../telemetry/log.ts'
import { createStatsd, type StatsdOptions } from '../../telemetry/metrics/statsd.ts'
import { IngestMetrics } from '../metrics/ingest-metrics.ts'
import { retryPolicyOf } from '../connections/retry-options.ts'
import { runServiceOrThrow } from './run.ts'
import { createTablePool } from '../table/target.ts'

/** Describes a run of `kafka-delta ingest`, besides its configuration. */
interface IngestRunOptions {
  readonly until: 'stopped' | 'latest'
  /** The last offset to count as ingested, by partition. */
  readonly seekOffsets: ReadonlyMap<number, bigint>
  /** Destination of the metrics; none are sent when absent. */
  readonly statsd?: Omit<StatsdOptions, 'onFailure'>
  readonly notes: readonly string[]
  /** Called once the service handles signals. */
  readonly onSignalsHandled?: () => void
}

/**
 * Runs the service for the single topic of `kafka-delta ingest` and resolves to the exit code.
 * @throws the error that stopped the topic
 */
export async function runIngest(config: Config, entry: string, options: IngestRunOptions): Promise<number> {
  const topic = config.topics[entry]
  if (topic === undefined) throw new Error(`Broken invariant: no topic ${entry}`)
  const { until, seekOffsets, notes, statsd: endpoint, onSignalsHandled } = options
  let log: Logger | undefined
  const statsd =
    endpoint === undefined
      ? undefined
      : createStatsd({
          ...endpoint,
          onFailure: (error) =>
            log?.warn(
              { err: error, host: endpoint.host, port: endpoint.port },
              'StatsD metrics cannot be sent; ingestion continues without them',
            ),
        })
  const run = (): Promise<number> =>
    runServiceOrThrow(config, {
      until,
      notes,
      ...(onSignalsHandled === undefined ? {} : { onSignalsHandled }),
      prepare: async (opened, circuits) => {
        log = opened
        await commitSeekOffsets(config, topic, seekOffsets, opened, circuits)
      },
      ...(statsd === undefined ? {} : { ingestMetrics: new IngestMetrics(statsd) }),
    })
  return await runThenCleanUp(run, async () => statsd?.close())
}

/** Attempts before giving up because other writers keep committing offsets first. */
const ATTEMPTS_MAX = 10

/**
 * Commits the offsets as ingested, in one commit for all partitions that have no `txn` in the table yet. Offsets that
 * the table has already reached are left alone, so the same command line can run again.
 * @throws KD_TABLE_MISSING when there is no table
 * @throws KD_COMMAND_INVALID when the table is behind one of the offsets, since the records between would be skipped
 * @throws KD_COMMIT_CONTENDED when other writers changed the offsets before every attempt
 */
async function commitSeekOffsets(
  config: Config,
  topic: TopicConfig,
  offsets: ReadonlyMap<number, bigint>,
  log: Logger,
  circuits?: Circuits,
): Promise<void> {
  if (offsets.size === 0) return
  const lease = await createTablePool(config, circuits).lease(topic.table.uri, retryPolicyOf(topic))
  await runThenCleanUp(
    async () => {
      const table = await lease.openExisting({})
      if (table === undefined)
        throw new PipelineError('KD_TABLE_MISSING', 'expected an existing table to record the offsets in', {
          uri: topic.table.uri,
        })
      await commitMissingOffsets(table, topic, offsets, { log, clock: systemClock })
    },
    () => lease.release(),
  )
}

async function commitMissingOffsets(
  table: TableWriter,
  topic: TopicConfig,
  offsets: ReadonlyMap<number, bigint>,
  { log, clock }: { readonly log: Logger; readonly clock: Clock },
): Promise<void> {
  for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
    const missing = await listMissingOffsets(table, topic, offsets)
    if (missing.length === 0) return
    const outcome = await table.append(seekCommitOf(topic, missing, clock.now()))
    if (outcome.kind !== 'committed') continue
    const noted = missing.map(([partition, offset]) => `${partition}:${offset}`).join(', ')
    log.info(
      { offsets: noted, version: String(outcome.version) },
      'Recorded the offsets of --seek_offsets as ingested',
    )
    return
  }
  throw new PipelineError(
    'KD_COMMIT_CONTENDED',
    `other writers changed the offsets before each of ${ATTEMPTS_MAX} commit attempts`,
    { uri: topic.table.uri },
  )
}

async function listMissingOffsets(
  table: TableWriter,
  { appId }: TopicConfig,
  offsets: ReadonlyMap<number, bigint>,
): Promise<readonly (readonly [number, bigint])[]> {
  const missing: (readonly [number, bigint])[] = []
  const behind: string[] = []
  // Asked at once, so that the log is listed once.
  const lookups = [...offsets].map(async ([partition, offset]) => ({
    partition,
    offset,
    held: await table.txn(appIdOf(appId, partition)),
  }))
  for (const { partition, offset, held } of await Promise.all(lookups)) {
    if (held === undefined) missing.push([partition, offset])
    else if (held < offset)
      behind.push(`partition ${partition}: the table is at ${held}, --seek_offsets says ${offset}`)
  }
  if (behind.length === 0) return missing
  throw new PipelineError(
    'KD_COMMAND_INVALID',
    `--seek_offsets would skip records; to skip them on purpose use another --app_id: ${behind.join('; ')}`,
    { uri: table.uri },
  )
}

function seekCommitOf(
  { appId }: TopicConfig,
  offsets: readonly (readonly [number, bigint])[],
  nowMs: number,
): Parameters<TableWriter['append']>[0] {
  return {
    adds: [],
    txns: offsets.map(([partition, version]) => ({
      appId: appIdOf(appId, partition),
      version,
      lastUpdated: nowMs,
      follows: undefined,
    })),
    operationParameters: { outputMode: 'Append', queryId: appId, epochId: '0' },
    operationMetrics: { numAddedFiles: '0', numRemovedFiles: '0', numOutputRows: '0' },
  }
}
