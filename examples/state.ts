/**
 * State: events that are sent twice within an hour are kept once, and each row has the number of events that its Kafka
 * partition has brought so far. The state belongs to an offset, so it is right again after records are read a second time;
 * it is in memory alone, so it begins anew with the process.
 *
 * In your own project, import from 'kafka-delta'.
 */
import type { Observable } from 'rxjs'
import {
  columns,
  distinctRows,
  json,
  kafkaToDelta,
  scanRows,
  type KafkaToDeltaOptions,
  type PipelineCommit,
} from '../src/index.ts'

const event = columns({ id: 'string', kind: 'string' })
const counted = columns({ id: 'string', kind: 'string', count: 'long' })

/** Describes the events and their table. */
export type EventTopic = Pick<KafkaToDeltaOptions, 'brokers' | 'topic' | 'table' | 'until' | 'groupId'>

/** Returns the chain of events without duplicates, with their numbers. */
export function carryDistinctEvents(options: EventTopic): Observable<PipelineCommit> {
  return kafkaToDelta(
    { ...options, format: json(event) },
    distinctRows((e) => e.id, { withinMs: 3_600_000, keysMax: 1_000_000 }),
    scanRows(
      (count, e) => ({ state: count + 1, row: { ...e, count: count + 1 } }),
      () => 0,
      counted,
    ),
  )
}
