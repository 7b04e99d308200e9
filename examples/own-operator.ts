/**
 * An operator of one's own on whole batches: it measures how long records wait in Kafka. It takes a batch and passes it on,
 * in order, with its provenance: that is the contract of operators, which the chain checks.
 *
 * In your own project, import from 'kafka-delta'.
 */
import { tap, type Observable } from 'rxjs'
import {
  columns,
  json,
  kafkaToDelta,
  type KafkaToDeltaOptions,
  type PipelineCommit,
  type RowOperator,
} from '../src/index.ts'

const event = columns({ id: 'long' })

/** Returns an operator that tells `record` for each batch how many rows it has and how old its oldest record is. */
export function measureAge<T extends object>(
  record: (rows: number, ageMs: number) => void,
  now: () => number,
): RowOperator<T> {
  return tap(({ payload: { raw, columns: made } }) => {
    const oldestMs = raw.timestampsMs.reduce((least, ms) => Math.min(least, ms), Infinity)
    record(made.length, now() - oldestMs)
  })
}

/** Returns the chain with the operator. */
export function carryMeasured(
  options: Pick<KafkaToDeltaOptions, 'brokers' | 'topic' | 'table' | 'until' | 'groupId'>,
  record: (rows: number, ageMs: number) => void,
): Observable<PipelineCommit> {
  return kafkaToDelta({ ...options, format: json(event) }, measureAge(record, Date.now))
}
