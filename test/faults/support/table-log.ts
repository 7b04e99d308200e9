import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A commit of one Kafka partition: its last offset, and when it was written. */
export interface PartitionCommit {
  readonly atMs: number
  readonly last: bigint
}

interface LogLine {
  readonly txn?: { readonly appId: string; readonly version: number }
  readonly commitInfo?: { readonly timestamp: number }
}

/** Reads which offsets the log of a local table commits, and when. */
export class TableLog {
  readonly #folder: string
  readonly #read = new Set<string>()
  readonly #commits = new Map<number, PartitionCommit[]>()

  constructor(uri: string) {
    this.#folder = join(uri, '_delta_log')
  }

  /** Returns the commits by partition so far, in their order; empty while there is no table. */
  async commits(): Promise<ReadonlyMap<number, readonly PartitionCommit[]>> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => /^\d{20}\.json$/.test(name))
    for (const name of names.sort()) {
      if (this.#read.has(name)) continue
      this.#read.add(name)
      const lines = (await readFile(join(this.#folder, name), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine)
      const atMs = lines.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo?.timestamp ?? 0
      for (const { txn } of lines)
        if (txn !== undefined) this.#add(txn.appId, { atMs, last: BigInt(txn.version) })
    }
    return this.#commits
  }

  /** Returns the last committed offset of a partition; -1 without one. */
  async last(partition: number): Promise<bigint> {
    return (await this.commits()).get(partition)?.at(-1)?.last ?? -1n
  }

  #add(appId: string, commit: PartitionCommit): void {
    const partition = Number(appId.slice(appId.lastIndexOf('-') + 1))
    const known = this.#commits.get(partition)
    if (known === undefined) this.#commits.set(partition, [commit])
    else known.push(commit)
  }
}

/** Returns the longest time between two commits of a partition from `fromMs` to `toMs`, which count as commits. */
export function longestGapMs(commits: readonly PartitionCommit[], fromMs: number, toMs: number): number {
  const times = [fromMs, ...commits.map(({ atMs }) => atMs).filter((at) => at > fromMs && at < toMs), toMs]
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
}
