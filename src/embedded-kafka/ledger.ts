/** Names a fact: its kind, then what it is about. */
export type FactKey = readonly [kind: FactKind, ...about: string[]]

/** Names the kinds of facts that survive a restart, beside the records. */
export type FactKind = 'cluster' | 'topic' | 'offset' | 'transaction' | 'producer-ids'

/** Changes a fact: its new value as JSON knows it, or `undefined` when it no longer holds. */
export type FactChange = readonly [key: FactKey, value: unknown]

/** Keeps what the broker must know after a restart, beside the records. */
export interface Ledger {
  /** Returns the facts of a kind as they were when the broker started: what they are about, and the value. */
  facts(kind: FactKind): readonly (readonly [about: readonly string[], value: unknown])[]
  /** Keeps changes, all or none of them, before it returns. */
  set(changes: readonly FactChange[]): void
}

/** The ledger of a broker that forgets everything when it stops. */
export const NO_LEDGER: Ledger = { facts: () => [], set: () => undefined }
