import type { Data } from 'apache-arrow'
import { type Column, isNull } from '../../arrow/column.ts'
import { columnFromArrow } from '../../arrow/from-arrow.ts'
import { longAt } from '../../arrow/values.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Add } from '../protocol/actions.ts'

/** Fields of `add` that determine row ids. */
type TrackedFile = Pick<Add, 'path' | 'baseRowId' | 'defaultRowCommitVersion'>

/**
 * Returns the stable row ids of a file: the ids in its hidden column `data`, otherwise those given by row position.
 * `first` is the position of the first row. Spec: "Reader Requirements for Row Tracking".
 * @throws KD_TABLE_CORRUPT if the file has no ids
 */
export function readStableRowIds(
  data: Data | undefined,
  file: TrackedFile,
  first: number,
  length: number,
): Column {
  const base = requireField(file, 'baseRowId') + BigInt(first)
  return longColumnOf(data, length, (row) => base + BigInt(row))
}

/**
 * Returns the commit versions in which the rows of a file were last inserted or updated. Throws like
 * `readStableRowIds`.
 */
export function readStableCommitVersions(data: Data | undefined, file: TrackedFile, length: number): Column {
  const version = requireField(file, 'defaultRowCommitVersion')
  return longColumnOf(data, length, () => version)
}

function longColumnOf(data: Data | undefined, length: number, otherwise: (row: number) => bigint): Column {
  const held = data === undefined ? undefined : columnFromArrow(data, 'long', length)
  const values = BigInt64Array.from({ length }, (_, row) =>
    held?.kind !== 'fixed' || isNull(held, row) ? otherwise(row) : longAt(held.values, row),
  )
  const halves = new Int32Array(values.buffer)
  return { kind: 'fixed', type: 'long', length, valid: undefined, words: 2, values: halves }
}

function requireField(file: TrackedFile, field: 'baseRowId' | 'defaultRowCommitVersion'): bigint {
  const value = file[field]
  if (value !== undefined) return value
  throw new PipelineError('KD_TABLE_CORRUPT', `a file of a table that tracks rows has no ${field}`, {
    path: file.path,
  })
}
