import type { CodecName } from '../../compression/compression.ts'
import type { SampleKindName } from '../../sample/kinds.ts'
import type { ConfigFlags } from '../config-flags.ts'

/** Holds the flags of the command `load`. */
export interface LoadFlags extends ConfigFlags {
  readonly kind?: readonly SampleKindName[]
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

/** Names the events that are sent to a topic. */
export interface LoadTarget {
  readonly kind: SampleKindName
  readonly topic: string
}

/** Returns n if every n-th record is invalid, or `undefined` if none is. */
export function badEveryOf({ badEvery, badPercent }: LoadFlags): number | undefined {
  if (badPercent === undefined || badPercent === 0) return badEvery
  return Math.max(1, Math.round(100 / badPercent))
}
