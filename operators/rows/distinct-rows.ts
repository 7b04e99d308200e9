import { defer } from 'rxjs'
import type { Row, Rows } from '../../src/arrow/rows.ts'
import { batchStage } from '../../src/core/stage/stage.ts'
import { callForEachRow, type RowCallback } from './callbacks.ts'
import { DistinctKeys, type DistinctKey, type DistinctRowsOptions } from './distinct-keys.ts'
import type { RecordInfo } from './record-info.ts'
import type { RowOperator } from './row-operator.ts'
import { rowSourceOf, selectedRows } from './row-source.ts'

/**
 * Keeps the first row of each key and leaves out, as filtered, rows whose key was kept less than `withinMs` before or after,
 * by the Kafka timestamps. Keys are compared within a Kafka partition: messages with equal keys must be in one partition, as
 * they are when the producer uses the key as message key. A row for which `keyOf` throws becomes a dead letter.
 *
 * The keys belong to an offset: when the records of a partition are read again after a fence, the keys are those before these
 * records, and the same rows are kept. Keys are held in memory alone: after a restart, or beyond `keysMax`, a duplicate may
 * be kept once.
 * @throws KD_OPERATOR_FAILED, retryable, if a partition is read again from before the latest `keysMax` rows that were kept
 * @throws KD_OPERATOR_INVALID if `keyOf` returns a promise
 */
export function distinctRows<T extends object = Row>(
  keyOf: (row: T, info: RecordInfo) => DistinctKey,
  options: DistinctRowsOptions,
): RowOperator<T, T>
export function distinctRows(
  keyOf: (row: Row, info: RecordInfo) => DistinctKey,
  options: DistinctRowsOptions,
): RowOperator {
  const { withinMs, keysMax } = options
  if (!(withinMs > 0)) throw new RangeError(`distinctRows: withinMs must be above 0, got ${withinMs}`)
  if (!Number.isInteger(keysMax) || keysMax < 1)
    throw new RangeError(`distinctRows: keysMax must be an integer of at least 1, got ${keysMax}`)
  const callback: RowCallback<DistinctKey> = {
    operator: 'distinctRows',
    run(row, info) {
      const key = keyOf(row, info) as DistinctKey | null | undefined
      if (key === undefined || key === null) throw new TypeError(`the key of the row is ${key}`)
      return key
    },
    takesInfo: keyOf.length > 1,
    passesRows: true,
  }
  return (batches) =>
    defer(() => {
      const all = new DistinctKeys(options)
      return batches.pipe(
        batchStage('distinct', (rows: Rows, { provenance }) => {
          const source = rowSourceOf(rows)
          const { raw } = source.rest
          const keys = all.startBatch(provenance)
          const kept: number[] = []
          const objects: Row[] = []
          let filtered = 0
          const letters = callForEachRow(source, callback, (key, i, row) => {
            const record = source.recordAt(i)
            const offset = raw.offsets[record] as bigint
            if (!all.isFirst(keys, key, offset, raw.timestampsMs[record] as number)) filtered++
            else {
              kept.push(i)
              if (source.keepsObjects) objects.push(row)
            }
          })
          return selectedRows(source, { kept, objects, filtered }, letters)
        }),
      )
    })
}
