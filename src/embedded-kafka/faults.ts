import type { ApiName } from '../kafka/wire/apis.ts'

/** Describes a request to whoever decides about faults. */
export interface FaultyRequest {
  readonly api: ApiName
  readonly clientId: string
  /** Number of the connection, from 0. */
  readonly connection: number
}

/**
 * Says what happens instead of an answer: the connection is cut before or after the request was carried out, the answer
 * is dropped, or it comes later.
 */
export type Fault =
  | { readonly kind: 'cut-before' | 'cut-after' | 'drop' }
  | { readonly kind: 'delay'; readonly delayMs: number }

/** Decides about each request; `undefined` answers it as usual. */
export type FaultPlan = (request: FaultyRequest) => Fault | undefined
