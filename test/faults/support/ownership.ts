import type { Worker } from '../../integrity/support/worker.ts'

/** A change of the partitions of a worker, as its log states it at the level `debug`. */
export interface OwnershipChange {
  readonly atMs: number
  readonly kind: 'assigned' | 'revoked' | 'lost'
  readonly partitions: readonly number[]
}

/** Returns the changes of a worker's partitions, in their order. */
export function ownershipChanges({ lines }: Pick<Worker, 'lines'>): readonly OwnershipChange[] {
  return lines.flatMap((line) => {
    if (!line.includes('"Consumer group"')) return []
    const { time, group } = JSON.parse(line) as {
      time: string
      group: { kind: string; partitions?: { partition: number }[] }
    }
    const { kind, partitions = [] } = group
    if (kind !== 'assigned' && kind !== 'revoked' && kind !== 'lost') return []
    return [{ atMs: Date.parse(time), kind, partitions: partitions.map(({ partition }) => partition) }]
  })
}

/** Returns the partitions that a worker owns after all its changes so far. */
export function ownedNow(worker: Pick<Worker, 'lines'>): ReadonlySet<number> {
  const owned = new Set<number>()
  for (const { kind, partitions } of ownershipChanges(worker))
    for (const partition of partitions) {
      if (kind === 'assigned') owned.add(partition)
      else owned.delete(partition)
    }
  return owned
}

/** Returns the partitions that a worker took or gave up since a time. */
export function movedSince(worker: Pick<Worker, 'lines'>, sinceMs: number): ReadonlySet<number> {
  const changes = ownershipChanges(worker).filter(({ atMs }) => atMs >= sinceMs)
  return new Set(changes.flatMap(({ partitions }) => partitions))
}

/** Returns the lines that state that a flush was thrown away. */
export function droppedFlushes({ lines }: Pick<Worker, 'lines'>): readonly string[] {
  return lines.filter((line) => line.includes('this flush is dropped'))
}
