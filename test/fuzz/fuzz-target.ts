/** Compares a fast path with the slow one over generated inputs; the same seed gives the same inputs. */
export type FuzzTarget = (options: {
  inputs: number
  seed: number
}) => Promise<{ inputs: number; differences: string[] }>
