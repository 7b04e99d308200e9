import type { Protocol, Metadata } from './actions.ts'

/** Describes one version of a table as far as its data files depend on it: protocol, metadata and clustering. */
export interface TableShape {
  readonly protocol: Protocol
  readonly metadata: Metadata
  /** Configuration of the domain `delta.clustering`; absent if the table is not clustered. Spec: "Clustered Table". */
  readonly clustering?: string
}
