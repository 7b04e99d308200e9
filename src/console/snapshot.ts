import type { Readiness, TopicState } from '../service/health/readiness.ts'

/**
 * Describes a process and its topics at one moment, for the console and `kafka-delta top`. It is JSON: times are milliseconds
 * since the epoch, offsets and versions are decimal strings, and what is unknown is null, never 0.
 */
export interface ConsoleSnapshot {
  readonly atMs: number
  readonly version: string
  readonly node: string
  readonly startedAtMs: number
  readonly headline: Headline
  readonly memory: MemoryUse
  /** Every topic of the process: those in trouble first, then by lag, longest first. */
  readonly topics: readonly TopicOverview[]
  /** The topic that was asked for, or the first one; null while there is none. */
  readonly detail: TopicDetail | null
  /** Servers whose circuit is not closed. */
  readonly servers: readonly ServerTrouble[]
  /** True when the admin verbs are enabled; they need the admin token. */
  readonly hasAdmin: boolean
}

/** Answers in one sentence how the process is: what an engineer reads first at night. */
export interface Headline {
  readonly level: 'healthy' | 'degraded' | 'stopped'
  readonly readiness: Readiness
  /** One sentence: `degraded: orders waits for s3://lake since 02:14:07, because the object store does not answer`. */
  readonly sentence: string
  /** Topic of the sentence; absent when all are well. */
  readonly topic?: string
  readonly state?: TopicState
  readonly sinceMs?: number
  readonly reason?: string
  /** Says what the service does next or the reader can do. */
  readonly next?: string
  readonly code?: string
  /** The place in the guide that explains the code. */
  readonly guideUrl?: string
  /** Further topics in trouble. */
  readonly more: number
}

/** Describes a server that does not answer as it should. */
export interface ServerTrouble {
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly sinceMs: number
  readonly reason: string | null
  readonly next: string | null
}

/** Describes how much memory a process uses, against what it may. */
export interface MemoryUse {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly heapBytesMax: number
  /** Bytes of records held between Kafka and the tables. */
  readonly heldBytes: number
  /** The budget of held bytes that all topics share; null without one. */
  readonly heldBytesMax: number | null
  /** Resident bytes over time. */
  readonly rss: Series
}

/** Holds a value at regular moments, oldest first; null where it was unknown. */
export interface Series {
  readonly everyMs: number
  /** Moment of the last value. */
  readonly endMs: number
  readonly values: readonly (number | null)[]
}

/** Says where a lag goes: null while it is unknown. */
export type Trend = 'growing' | 'draining' | 'steady'

/** Describes one topic in the list of all. */
export interface TopicOverview {
  /** Name of the entry in the configuration, which admin verbs take. */
  readonly name: string
  /** Name in Kafka. */
  readonly topic: string
  readonly table: string
  readonly state: TopicState
  readonly isHealthy: boolean
  readonly sinceMs: number
  readonly reason: string | null
  readonly next: string | null
  readonly code: string | null
  /** Age of the newest record in the table. */
  readonly freshnessMs: number | null
  /** Records that the table lacks. */
  readonly lag: number | null
  readonly lagMs: number | null
  readonly trend: Trend | null
  /** Time until the lag is gone at the present speed; null unless it shrinks. */
  readonly clearMs: number | null
  /** Messages and bytes read per second over the last minute. */
  readonly recordsPerS: number
  readonly bytesPerS: number
  readonly heldBytes: number
  readonly heldBytesMax: number
  /** The stage that holds the pipeline back; null when none does. */
  readonly bottleneck: string | null
  readonly lagSeries: Series
  readonly freshnessSeries: Series
}

/** Describes one topic in full. */
export interface TopicDetail {
  readonly name: string
  readonly restarts: number
  readonly rows: number
  readonly deadLetters: number
  /** Ascending; of a topic with very many partitions those that lag most. */
  readonly partitions: readonly PartitionView[]
  /** Partitions that `partitions` leaves out; absent if it has all. */
  readonly morePartitions?: number
  readonly stages: readonly StageView[]
  /** Newest first. */
  readonly commits: readonly CommitView[]
  /** Most letters first. */
  readonly deadLetterGroups: readonly DeadLetterGroup[]
  readonly group: GroupView
  /** Null until the table was looked at. */
  readonly tableHealth: TableHealth | null
  /** Newest first. */
  readonly flushes: readonly FlushView[]
  /** Newest first. */
  readonly maintenance: readonly MaintenanceView[]
}

/** Describes one partition. */
export interface PartitionView {
  readonly partition: number
  readonly next: string | null
  /** Offset in the table. */
  readonly txn: string | null
  readonly end: string | null
  readonly lag: number | null
  readonly lagMs: number | null
  readonly trend: Trend | null
  readonly clearMs: number | null
  readonly lagSeries: Series
  /** Why it cannot be read for now. */
  readonly unreadable: string | null
}

/** Says how a stage spent the last minute, as shares of it that add up to at most 1. */
export interface StageView {
  readonly stage: string
  readonly busy: number
  /** Done, but the next stage does not take the result yet. */
  readonly held: number
  readonly idle: number
}

/** Describes a commit of this process. */
export interface CommitView {
  readonly version: string
  readonly atMs: number
  readonly rows: number
  readonly deadLetters: number
  readonly files: number
  readonly bytes: number
  readonly attempts: number
  /** Versions that other writers committed first. */
  readonly conflicts: number
  readonly durationMs: number
  readonly schemaChanged: boolean
  /** Operation and engine: `STREAMING UPDATE by kafka-delta 1.0.0`. */
  readonly by: string
}

/**
 * Describes dead letters of one cause since the start of the process. Letters beyond the maximum of causes are one group whose
 * reason is `others`; its command replays every reason.
 */
export interface DeadLetterGroup {
  readonly reason: string
  /** The message without its values, so that letters of one cause are one group. */
  readonly cause: string
  readonly count: number
  readonly lastAtMs: number
  readonly sample: { readonly partition: number; readonly offset: string; readonly message: string }
  /** The command that replays the letters of this topic with this reason. */
  readonly replayCommand: string
}

/** Describes the consumer group of a topic as this process sees it. */
export interface GroupView {
  readonly groupId: string
  readonly assigned: readonly number[] | null
  /** Members by client id and host with their partitions of the topic; null until the brokers have told them. */
  readonly members: readonly MemberView[] | null
  /** Newest first. */
  readonly events: readonly { readonly atMs: number; readonly kind: string; readonly text: string }[]
}

/** Describes a member of a consumer group. */
export interface MemberView {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  readonly partitions: readonly number[]
  readonly isSelf: boolean
}

/** Describes the files of a table. */
export interface TableHealth {
  readonly atMs: number
  readonly version: string
  readonly files: number
  readonly bytes: number
  /** Files by size, smallest first. */
  readonly sizes: readonly { readonly upToBytes: number | null; readonly files: number }[]
  /** Share of files below the size that `optimize` packs. */
  readonly smallShare: number | null
  readonly checkpointVersion: string | null
  readonly checkpointAtMs: number | null
  readonly lastOptimizeAtMs: number | null
  readonly lastVacuumAtMs: number | null
  readonly schemaChanges: number
  /** True for a table with more files than are looked at: `sizes` is empty then, and `files` and `bytes` may be lower bounds. */
  readonly isPartial?: true
}

/** Describes a flush and its stages on a time line. */
export interface FlushView {
  readonly id: number
  readonly name: string
  readonly startedAtMs: number
  readonly totalMs: number
  readonly outcome: 'committed' | 'failed'
  readonly records: number
  readonly bytes: number
  /** In the order of the pipeline; stages add up to `totalMs`. */
  readonly stages: readonly { readonly stage: string; readonly ms: number }[]
  readonly traceId: string | null
  /** The trace in Jaeger; null unless the address of its pages is known. */
  readonly traceUrl: string | null
}

/** Describes a run of table maintenance: `optimize`, `vacuum`, `clean`, or a `checkpoint` of the log. */
export interface MaintenanceView {
  readonly task: string
  readonly outcome: string
  readonly atMs: number
  readonly durationMs: number
}
