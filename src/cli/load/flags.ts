import type { CodecName } from '../../compression/compression.ts'
import type { KindName } from '../../sample/kinds.ts'
import type { SourceFlags } from '../sources.ts'

/** What `load` takes. */

export interface LoadFlags extends SourceFlags {
  readonly kind?: readonly KindName[]
  readonly topic?: readonly string[]
  readonly partitions?: number
  readonly rate?: number
  readonly count?: number
  readonly duration?: number
  readonly badEvery?: number
  readonly badPercent?: number
  readonly compression: CodecName | 'none'
  readonly schemaId?: number
  readonly seed?: number
  readonly start?: number
  readonly every: number
  readonly json?: true
}
/** Where events go. */

export interface LoadTarget {
  readonly kind: KindName
  readonly topic: string
}
/** Every how many records one is bad; `undefined` for none. */

export function badEveryOf({ badEvery, badPercent }: LoadFlags): number | undefined {
  if (badPercent === undefined || badPercent === 0) return badEvery
  return Math.max(1, Math.round(100 / badPercent))
}
