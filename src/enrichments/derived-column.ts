import { DERIVATION_FORMS, parseDerivation, type Derivation } from '../../config/rows/derive.ts'
import { PipelineError } from '../core/errors.ts'
import { typeName, type DataType, type StructType } from '../core/schema.ts'
import { bucketColumn, canBucket } from './bucket.ts'
import { datePartColumn, datePartSourceFault } from './date-parts.ts'
import type { Enrichment } from './enrichment.ts'
import { findSourceColumn, type SourceColumn } from './source-column.ts'
import { canTruncate, truncateColumn } from './truncate.ts'

/**
 * Returns an enrichment that derives a column from another column of `schema`, from a struct field by its
 * path, or from a Kafka column: a date part, a bucket or a truncated value, as the expression says.
 * @throws KD_CONFIG_INVALID when the expression is invalid, the source column does not exist, or its type is not
 * supported
 */
export function derivedColumn(name: string, expression: string, schema: StructType): Enrichment {
  const derived = tryDerivedColumn(name, expression, schema)
  if (typeof derived !== 'string') return derived
  throw new PipelineError('KD_CONFIG_INVALID', `derived column ${name}: ${derived}`)
}

/** Does the same as `derivedColumn`, but returns the fault as text when the column cannot be derived. */
export function tryDerivedColumn(name: string, expression: string, schema: StructType): Enrichment | string {
  const derivation = parseDerivation(name, expression)
  if (derivation === undefined) return `expected ${DERIVATION_FORMS}, got ${JSON.stringify(expression)}`
  const { from } = derivation
  const source = findSourceColumn(schema, from)
  if (source === undefined) return `expected a column named ${from}, but there is none`
  const fault = sourceFault(derivation, source.type)
  if (fault === undefined) return enrichmentOf(name, derivation, source)
  return `expected ${fault}, but ${from} is ${typeName(source.type)}`
}

function enrichmentOf(name: string, derivation: Derivation, source: SourceColumn): Enrichment {
  switch (derivation.kind) {
    case 'part':
      return datePartColumn(name, derivation, source)
    case 'bucket':
      return bucketColumn(name, derivation.buckets, source)
    case 'truncate':
      return truncateColumn(name, derivation.width, source)
  }
}

function sourceFault(derivation: Derivation, type: DataType): string | undefined {
  switch (derivation.kind) {
    case 'part':
      return datePartSourceFault(derivation, type)
    case 'bucket':
      return canBucket(type)
        ? undefined
        : 'a byte, short, integer, long, decimal, date, timestamp, string or binary column'
    case 'truncate':
      return canTruncate(type) ? undefined : 'a byte, short, integer, long or string column'
  }
}
