import { DERIVATION_FORMS, parseDerivation, type Derivation } from '../../config/rows/derive.ts'
import { PipelineError } from '../core/errors.ts'
import { typeName, type DataType, type StructType } from '../core/schema.ts'
import { bucket, canBucket } from './bucket.ts'
import { datePart, partSourceFault } from './date-parts.ts'
import type { Enrichment } from './enrichment.ts'
import { sourceColumn, type SourceColumn } from './source-column.ts'
import { canTruncate, truncate } from './truncate.ts'

/**
 * A column that follows from another column of `schema`, from a field of structs in it by its dotted path, or from a Kafka
 * column: a date part, a bucket or a cut value, as the expression says.
 * @throws KD_CONFIG_INVALID when the expression is none, or there is no such column, or its type is not one that it takes
 */
export function derivedColumn(name: string, expression: string, schema: StructType): Enrichment {
  const derived = derivedOrFault(name, expression, schema)
  if (typeof derived !== 'string') return derived
  throw new PipelineError('KD_CONFIG_INVALID', `derived column ${name}: ${derived}`)
}

/** The same; what is wrong, as what was expected and what was got, where there is no such column to derive. */
export function derivedOrFault(name: string, expression: string, schema: StructType): Enrichment | string {
  const derivation = parseDerivation(name, expression)
  if (derivation === undefined) return `expected ${DERIVATION_FORMS}, got ${JSON.stringify(expression)}`
  const { from } = derivation
  const source = sourceColumn(schema, from)
  if (source === undefined) return `expected a column named ${from}, and there is none`
  const fault = sourceFault(derivation, source.type)
  if (fault === undefined) return enrichmentOf(name, derivation, source)
  return `expected ${fault}, while ${from} is ${typeName(source.type)}`
}

function enrichmentOf(name: string, derivation: Derivation, source: SourceColumn): Enrichment {
  switch (derivation.kind) {
    case 'part':
      return datePart(name, derivation, source)
    case 'bucket':
      return bucket(name, derivation.buckets, source)
    case 'truncate':
      return truncate(name, derivation.width, source)
  }
}

function sourceFault(derivation: Derivation, type: DataType): string | undefined {
  switch (derivation.kind) {
    case 'part':
      return partSourceFault(derivation, type)
    case 'bucket':
      return canBucket(type)
        ? undefined
        : 'a column of numbers without fraction, decimals, dates, timestamps, text or bytes'
    case 'truncate':
      return canTruncate(type) ? undefined : 'a column of text or of numbers without fraction'
  }
}
