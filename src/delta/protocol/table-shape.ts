import type { Protocol, Metadata } from './actions.ts'

/** What files must be made for: a table's protocol and metadata at one version. */

export interface TableShape {
  readonly protocol: Protocol
  readonly metadata: Metadata
  /** What the domain `delta.clustering` holds, of a table that is clustered. Spec: "Clustered Table". */
  readonly clustering?: string
}
