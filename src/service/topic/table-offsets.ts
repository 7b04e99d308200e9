import { topicIdAppIdOf } from '../../../operators/commit-delta.ts'
import type { TopicConfig } from '../../../config/types.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { TableWriter } from '../../delta/commit/table-writer.ts'
import type { Txn } from '../../delta/protocol/actions.ts'
import type { StoredTopicId } from '../../kafka/source/source-options.ts'
import { topicIdNumberOf } from '../../kafka/source/topic-id.ts'
import type { Logger } from '../../telemetry/log.ts'

/** Maximum of commits that are tried while other writers change the table. */
const ATTEMPTS_MAX = 10

/** Keeps the id of a topic in a table, and what was read with it. */
export interface TableTopicId extends StoredTopicId {
  /** Returns all `txn`s that the last `read` found. */
  lastTxns(): Promise<ReadonlyMap<string, Txn>>
}

/**
 * Returns the id of the topic that a table holds under an appId, as the `txn` `<appId>-topic-id`. `write` commits it alone.
 * @throws KD_COMMIT_CONTENDED when other writers changed the table before every attempt
 */
export function storedTopicIdOf(
  table: Pick<TableWriter, 'append' | 'shape' | 'txns' | 'uri'>,
  appId: string,
  clock: Clock = systemClock,
): TableTopicId {
  const idAppId = topicIdAppIdOf(appId)
  // Not by `txn`: a table that never had an id must not look like one whose id has expired.
  let last: ReadonlyMap<string, Txn> | undefined
  const read = async (): Promise<bigint | undefined> => {
    last = await table.txns()
    return last.get(idAppId)?.version
  }
  return {
    read,
    lastTxns: async () => last ?? (await table.txns()),
    async write(topicId, follows) {
      for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
        const outcome = await table.append({
          baseSnapshot: table.shape,
          adds: [],
          txns: [
            {
              appId: idAppId,
              version: topicId,
              lastUpdated: clock.now(),
              follows,
              isConstant: true as const,
            },
          ],
          operationParameters: { outputMode: 'Append', queryId: appId, epochId: '0' },
          operationMetrics: { numAddedFiles: '0', numRemovedFiles: '0', numOutputRows: '0' },
        })
        if (outcome.kind === 'committed') return topicId
        if (outcome.kind === 'fenced') return await read()
      }
      const detail = `other writers changed the table before each of ${ATTEMPTS_MAX} attempts to store the id of the topic`
      throw new PipelineError('KD_COMMIT_CONTENDED', detail, { uri: table.uri, appId })
    },
  }
}

/** Holds the appIds beside the own one under which a table holds offsets. */
interface OtherAppIds {
  /** AppIds with the id of the same topic. */
  readonly sameTopic: readonly string[]
  /** AppIds whose topic is unknown. */
  readonly unknownTopic: readonly string[]
  /** True if the table holds offsets under the own appId. */
  readonly hasOwn: boolean
}

/**
 * Returns the other appIds under which a table holds offsets that may be those of the topic. Left out are the appIds of
 * other topics: those in `configured`, and those with another topic id.
 */
export function otherAppIdsOf(
  txns: ReadonlyMap<string, Txn>,
  appId: string,
  topicId: bigint | undefined,
  configured: ReadonlySet<string>,
): OtherAppIds {
  const prefixes = new Set([...txns.keys()].flatMap((each) => /^(.+)-\d+$/u.exec(each)?.[1] ?? []))
  const hasOwn = prefixes.has(appId)
  const others = [...prefixes].filter(
    (each) => each !== appId && !configured.has(each) && !/-(?:dlq|replay)$/u.test(each),
  )
  const idOf = (each: string): bigint | undefined => txns.get(topicIdAppIdOf(each))?.version
  return {
    sameTopic: others.filter((each) => topicId !== undefined && idOf(each) === topicId),
    unknownTopic: others.filter((each) => topicId === undefined || idOf(each) === undefined),
    hasOwn,
  }
}

/** Describes the topic whose table is examined. */
interface ExaminedTopic {
  readonly topic: string
  readonly appId: string
  /** As Kafka's tools show it; `undefined` if the brokers report none. */
  readonly topicId: string | undefined
  /** AppIds of the configuration. */
  readonly configured: ReadonlySet<string>
  /** Decides what happens when the table holds the topic under another appId. */
  readonly onSecondAppId: TopicConfig['onSecondAppId']
}

/**
 * Looks whether the table holds the topic under another appId: its records are rows once for each appId. An appId of
 * which it is unknown whether it belongs to the topic is named only while the table holds no offset under the own one.
 * `onSecondAppId` says whether that is a warning, an error, or intended.
 * @throws KD_CONFIG_INVALID with both appIds if it is refused
 */
export async function checkOtherAppIds(
  table: Pick<TableWriter, 'txns' | 'uri'>,
  { topic, appId, topicId, configured, onSecondAppId }: ExaminedTopic,
  log: Pick<Logger, 'debug' | 'warn'>,
): Promise<void> {
  if (onSecondAppId === 'allow') return
  let txns: ReadonlyMap<string, Txn>
  try {
    txns = await table.txns()
  } catch (error) {
    if (onSecondAppId === 'refuse') throw error
    log.debug({ err: error }, 'The offsets of other appIds in the table could not be read')
    return
  }
  const number = topicId === undefined ? undefined : topicIdNumberOf(hexOf(topicId))
  const { sameTopic, unknownTopic, hasOwn } = otherAppIdsOf(txns, appId, number, configured)
  const report = (otherAppIds: readonly string[], finding: string): void => {
    if (onSecondAppId === 'refuse') {
      const detail = `topics.${topic}.onSecondAppId: ${finding}. Nothing was read. If it is intended, set topics.*.onSecondAppId to allow; if not, set topics.*.appId to the former one`
      throw new PipelineError('KD_CONFIG_INVALID', detail, { table: table.uri })
    }
    log.warn(
      { appId, table: table.uri, otherAppIds },
      `${finding}. If that is not intended, stop and set topics.*.appId to the former one; if it is, set topics.*.onSecondAppId to allow`,
    )
  }
  const listed = (appIds: readonly string[]): string => appIds.map((each) => JSON.stringify(each)).join(', ')
  if (sameTopic.length > 0)
    report(
      sameTopic,
      `The table already holds this topic under the appId ${listed(sameTopic)}, and now reads it under ${JSON.stringify(appId)}: each record becomes a row once for each appId`,
    )
  if (unknownTopic.length > 0 && !hasOwn)
    report(
      unknownTopic,
      `The table holds Kafka offsets under the appId ${listed(unknownTopic)} and none under ${JSON.stringify(appId)}: if they are those of this topic, its records become rows a second time`,
    )
}

function hexOf(topicId: string): string {
  return Buffer.from(topicId, 'base64url').toString('hex')
}
