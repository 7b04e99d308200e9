/**
 * Fan-out: one topic into two tables, exactly once into each. Payments go to one table, all other events to another.
 *
 * Each table has its own chain, source and consumer group. So each table says where its own source continues, and a table
 * whose store is down does not block the other. The cost: the topic is fetched and decoded once per table.
 *
 * In your own project, import from 'kafka-delta'.
 */
import type { Observable } from 'rxjs'
import {
  columns,
  fanOut,
  filterRows,
  json,
  type ChainSourceOptions,
  type FanOutOptions,
  type KafkaToDeltaOptions,
  type RouteCommit,
} from '../src/index.ts'

const event = columns({ id: 'long', kind: 'string', amount: 'double?' })

/** Describes the topic and its tables. */
export interface Events extends Pick<
  ChainSourceOptions,
  'brokers' | 'topic' | 'until' | 'groupId' | 'deadLetters' | 'log'
> {
  readonly payments: KafkaToDeltaOptions['table']
  readonly others: KafkaToDeltaOptions['table']
}

/** Returns the commits to both tables. A route that fails does not stop the other. */
export function carryIntoTwoTables(
  { payments, others, ...topic }: Events,
  options: FanOutOptions = {},
): Observable<RouteCommit> {
  return fanOut(
    { ...topic, format: json(event) },
    [
      { name: 'payments', table: payments, operators: [filterRows((e) => e.kind === 'payment')] },
      { name: 'others', table: others, operators: [filterRows((e) => e.kind !== 'payment')] },
    ],
    options,
  )
}
