import { tap, type MonoTypeOperatorFunction } from 'rxjs'
import type { FlushFacts } from '../../../operators/buffer-time-or-count.ts'
import type { Commit } from '../../../operators/commit-offsets.ts'
import type { FlushTrace } from '../../core/flush-trace.ts'
import type { FlushStages } from '../../core/flush-trace.ts'
import type { Raw } from '../../core/raw.ts'
import type { CheckpointEnd } from '../../delta/commit/checkpoint-scheduler.ts'
import type { PartitionStatus, SourceEvent } from '../../kafka/source/source-options.ts'
import type { MaintenanceRun } from '../table/maintenance.ts'

/** Told what a topic does while it runs: at once, so that nothing here may wait or fail. */
export interface TopicObserver {
  /** A batch was read. */
  read(raw: Raw): void
  /** A flush was formed. What is returned is told its end, with the error where the topic fails before it. */
  flush(facts: FlushFacts): (error?: unknown) => void
  /**
   * Where the time of a flush went; told when it ends, committed or not: after the end that `flush` returned, and before
   * `committed`.
   */
  stages?(stages: FlushStages): void
  /** A flush is in the table; `status` is that of the assigned partitions. */
  committed(commit: Commit, status: readonly PartitionStatus[]): void
  /** A run of the upkeep of the table has ended. */
  maintenance?(run: MaintenanceRun): void
  /** A checkpoint that a commit of ours made due. */
  checkpoint?(outcome: CheckpointEnd): void
  /** Something happened between the topic and the brokers. */
  event?(event: SourceEvent): void
  /** Now and then. */
  status(status: readonly PartitionStatus[]): void
}

/** One observer that tells all of them. */
export function together(observers: readonly TopicObserver[]): TopicObserver {
  return {
    read: (raw) => observers.forEach((observer) => observer.read(raw)),
    flush(facts) {
      const ended = observers.map((observer) => observer.flush(facts))
      return (error) => ended.forEach((end) => end(error))
    },
    stages: (stages) => observers.forEach((observer) => observer.stages?.(stages)),
    committed: (commit, status) => observers.forEach((observer) => observer.committed(commit, status)),
    maintenance: (run) => observers.forEach((observer) => observer.maintenance?.(run)),
    checkpoint: (outcome) => observers.forEach((observer) => observer.checkpoint?.(outcome)),
    event: (event) => observers.forEach((observer) => observer.event?.(event)),
    status: (status) => observers.forEach((observer) => observer.status(status)),
  }
}

/** The places of a topic where its observer looks in. Without one, everything is as it was. */
export interface Observing {
  cost(costBytes: (raw: Raw) => number): (raw: Raw) => number
  trace(facts: FlushFacts, trace: FlushTrace): FlushTrace
  commits(status: () => readonly PartitionStatus[]): MonoTypeOperatorFunction<Commit>
}

/** Lets an observer look at one topic. Flushes that are on their way when it fails end then, in their traces too. */
export function observing(observer: TopicObserver | undefined): Observing {
  const open = new Set<(error?: unknown) => void>()
  const failed = (error: unknown): void => {
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
    trace(facts, trace) {
      const ended = observer?.flush(facts)
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
        // What was on its way ends with the topic.
        error: failed,
        unsubscribe: () => failed(new Error('The pipeline was left')),
      }),
  }
}
