/**
 * The shortest chain: events of a Kafka topic become rows of a Delta table, exactly once, in a few lines. Everything that is
 * not set has the default of the service.
 *
 * In your own project, import from 'kafka-delta'.
 */
import type { Observable } from 'rxjs'
import {
  columns,
  filterRows,
  json,
  kafkaToDelta,
  mapRows,
  restartFailures,
  type KafkaToDeltaOptions,
  type PipelineCommit,
} from '../src/index.ts'

const event = columns({ id: 'long', at: 'timestamp', amount: 'double?' })
const cents = columns({ id: 'long', at: 'timestamp', cents: 'long' })

/** Describes where events come from, where rows go, and when the chain ends. */
export type EventOptions = Pick<
  KafkaToDeltaOptions,
  'brokers' | 'topic' | 'table' | 'until' | 'groupId' | 'flush'
>

/** Returns the chain; it runs while it is subscribed to. */
export function carryEvents(options: EventOptions): Observable<PipelineCommit> {
  return kafkaToDelta(
    { ...options, format: json(event) },
    filterRows((e) => e.amount !== null),
    mapRows((e) => ({ id: e.id, at: e.at, cents: Math.round((e.amount ?? 0) * 100) }), cents),
  )
}

/** Returns the chain that starts again after failures that may pass, such as a store that does not answer. */
export function carryEventsForever(options: EventOptions): Observable<PipelineCommit> {
  return carryEvents({ ...options, until: 'stopped' }).pipe(restartFailures())
}
