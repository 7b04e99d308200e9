import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { OrphanedFiles } from '../../../operators/write-parquet.ts'
import type { FlushStages, FlushTrace } from '../../core/flush-trace.ts'
import type { Raw } from '../../core/raw.ts'
import type { CheckpointResult } from '../../delta/commit/checkpoint-scheduler.ts'
import type { PartitionStatus, SourceEvent } from '../../kafka/source/source-options.ts'
import type { PathEvent } from '../../transforms/path-matches.ts'
import type { MaintenanceRun } from '../table/maintenance.ts'
import type { TopicFailure, TopicPhase } from './state.ts'

/**
 * Describes something that happened to a topic. Status, log, health and metrics follow these events; nothing else tells
 * them about the topic.
 */
export type TopicEvent =
  /** The topic entered a phase; `failure` is the last failure, if it still matters. */
  | {
      readonly kind: 'phase'
      readonly phase: TopicPhase
      readonly failure: TopicFailure | undefined
      /** The restart that follows, in the phase `restarting`. */
      readonly restart?: TopicRestart
      /** True when an operator requested the restart, in the phase `opening`. */
      readonly isRequested?: true
    }
  /** An operator paused or resumed the topic. */
  | { readonly kind: 'paused' | 'resumed' }
  /** A batch was read. */
  | { readonly kind: 'read'; readonly raw: Raw }
  | { readonly kind: 'flush-formed'; readonly flush: FormedFlush }
  /** A flush has ended, `durationMs` after it was formed; with `error` when nothing of it is in the table. */
  | {
      readonly kind: 'flush-ended'
      readonly flush: FormedFlush
      readonly durationMs: number
      /** Time spent in each stage. */
      readonly stages: FlushStages
      /** Trace of the flush, which ends with it. */
      readonly trace?: FlushTrace
      readonly error?: unknown
    }
  /** A flush is committed; follows its `flush-ended`. `partitions` is the status of the assigned partitions. */
  | {
      readonly kind: 'committed'
      readonly commit: PipelineCommit
      readonly partitions: readonly PartitionStatus[]
    }
  /** A flush is dropped and its records are read again; see `PipelineOptions.onFenced`. */
  | { readonly kind: 'fenced'; readonly appIds: readonly string[]; readonly unfitReason: string | undefined }
  /** Data files of a flush without a commit could not be deleted; no version has them. */
  | { readonly kind: 'orphaned'; readonly files: OrphanedFiles }
  /** A path of the transforms was found to match no field, or matches one after all. */
  | PathEvent
  /** Something happened between the topic and the brokers. */
  | { readonly kind: 'source'; readonly event: SourceEvent }
  /** A run of table maintenance has ended. */
  | { readonly kind: 'maintained'; readonly run: MaintenanceRun }
  /** A checkpoint caused by a commit of this process has ended. */
  | { readonly kind: 'checkpointed'; readonly outcome: CheckpointResult; readonly durationMs: number }

/** Describes the restart of a topic after a failure. */
export interface TopicRestart {
  readonly waitMs: number
  /** Starts since the last commit, and the maximum of them, which outages do not count towards. */
  readonly attempts: number
  readonly attemptsMax: number
  /** True when the failure is an outage, after which the topic is restarted without limit. */
  readonly isOutage: boolean
}

/** Receives the events of a topic, in order. Must neither block nor throw. */
export type TopicEventHandler = (event: TopicEvent) => void
