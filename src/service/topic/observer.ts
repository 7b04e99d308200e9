import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import type { FormedFlush } from '../../../operators/buffer-time-or-count.ts'
import type { PipelineCommit } from '../../../operators/commit-offsets.ts'
import type { FlushTrace } from '../../core/flush-trace.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import type { Raw } from '../../core/raw.ts'
import type { CheckpointResult } from '../../delta/commit/checkpoint-scheduler.ts'
import type { PartitionStatus, SourceEvent } from '../../kafka/source/source-options.ts'
import type { MaintenanceRun } from '../table/maintenance.ts'

/** Observes a topic while it runs. Calls are synchronous: methods must neither block nor throw. */
export interface TopicObserver {
  /** Called when a batch was read. */
  read(raw: Raw): void
  /**
   * Called when a flush was formed. Returns a function that is called at its end, with the error when the topic fails
   * before the commit.
   */
  flush(flush: FormedFlush): (error?: unknown) => void
  /**
   * Called at the end of a flush, committed or failed, with the time spent in each stage. Runs after the function
   * that `flush` returned, and before `committed`.
   */
  stages?(stages: FlushStages): void
  /** Called when a flush is committed, with the status of the assigned partitions. */
  committed(commit: PipelineCommit, status: readonly PartitionStatus[]): void
  /** Called when a run of table maintenance has ended. */
  maintenance?(run: MaintenanceRun): void
  /** Called when a checkpoint caused by a commit of this process has ended. */
  checkpoint?(outcome: CheckpointResult): void
  /** Called with the number of data files that belong to no version and could not be deleted. */
  orphaned?(files: number): void
  /** Called for events between the topic and the brokers. */
  event?(event: SourceEvent): void
  /** Called periodically. */
  status(status: readonly PartitionStatus[]): void
}

/** Returns an observer that forwards every call to all `observers`. */
export function combineObservers(observers: readonly TopicObserver[]): TopicObserver {
  return {
    read: (raw) => observers.forEach((observer) => observer.read(raw)),
    flush(flush) {
      const ended = observers.map((observer) => observer.flush(flush))
      return (error) => ended.forEach((end) => end(error))
    },
    stages: (stages) => observers.forEach((observer) => observer.stages?.(stages)),
    committed: (commit, status) => observers.forEach((observer) => observer.committed(commit, status)),
    maintenance: (run) => observers.forEach((observer) => observer.maintenance?.(run)),
    checkpoint: (outcome) => observers.forEach((observer) => observer.checkpoint?.(outcome)),
    orphaned: (files) => observers.forEach((observer) => observer.orphaned?.(files)),
    event: (event) => observers.forEach((observer) => observer.event?.(event)),
    status: (status) => observers.forEach((observer) => observer.status(status)),
  }
}

/** Connects an observer to the pipeline of a topic. Without an observer the taps change nothing. */
export interface PipelineTaps {
  cost(costBytes: (raw: Raw) => number): (raw: Raw) => number
  trace(flush: FormedFlush, trace: FlushTrace): FlushTrace
  commits(status: () => readonly PartitionStatus[]): MonoTypeOperatorFunction<PipelineCommit>
}

/**
 * Returns the taps that connect an observer to one topic. When the topic fails, its flushes in flight end with that
 * error, in their traces too.
 */
export function createPipelineTaps(observer: TopicObserver | undefined): PipelineTaps {
  const open = new Set<(error?: unknown) => void>()
  const endAll = (error: unknown): void => {
    for (const end of open) end(error)
  }
  return {
    cost: (costBytes) =>
      observer === undefined
        ? costBytes
        : (raw) => {
            observer.read(raw)
            return costBytes(raw)
          },
    trace(flush, trace) {
      const ended = observer?.flush(flush)
      const end = (error?: unknown): void => {
        if (!open.delete(end)) return
        ended?.(error)
        trace.end(error)
        const stages = trace.stages?.()
        if (stages !== undefined) observer?.stages?.(stages)
      }
      open.add(end)
      return { ...trace, end }
    },
    commits: (status) =>
      tap({
        next: (commit) => observer?.committed(commit, status()),
        // Flushes in flight end with the topic.
        error: endAll,
        unsubscribe: () => endAll(new Error('The pipeline was unsubscribed')),
      }),
  }
}
