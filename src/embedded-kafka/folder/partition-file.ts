import { existsSync, readFileSync, truncateSync } from 'node:fs'
import { PipelineError } from '../../core/errors.ts'
import type { LogState, LogStore, StoredLog } from '../log/log-store.ts'
import { RefusedRecords, storedBatchesIn, type StoredBatch } from '../log/stored-batch.ts'
import type { FsyncPolicy, OpenFiles } from './open-files.ts'
import { replaceFile } from './replace-file.ts'

const LINE_FEED = 0x0a

interface Head {
  readonly start: string
  readonly end: string
  readonly leaderEpoch: number
  readonly epochEnds: readonly (readonly [number, string])[]
}

/**
 * Keeps one partition in a file: a line of JSON about it, then its batches as they are on the wire. A batch that a killed
 * process wrote in part is cut off. The file has no batches but those that can be read: it is written anew when some go.
 */
export class PartitionFile implements LogStore {
  readonly #path: string
  readonly #files: OpenFiles
  readonly #fsync: FsyncPolicy
  #bytes = 0

  constructor(path: string, files: OpenFiles, fsync: FsyncPolicy) {
    this.#path = path
    this.#files = files
    this.#fsync = fsync
  }

  /** @throws PipelineError if the line about the partition is broken */
  load(): StoredLog | undefined {
    if (!existsSync(this.#path)) return undefined
    const bytes = readFileSync(this.#path)
    const from = bytes.indexOf(LINE_FEED) + 1
    const head = headIn(bytes.subarray(0, from), this.#path)
    const batches: StoredBatch[] = []
    this.#bytes = from
    try {
      for (const batch of storedBatchesIn(bytes.subarray(from))) {
        batches.push(batch)
        this.#bytes += batch.bytes.length
      }
    } catch (error) {
      if (!(error instanceof RefusedRecords)) throw error
      truncateSync(this.#path, this.#bytes)
    }
    return { ...head, batches }
  }

  append(batches: readonly StoredBatch[]): void {
    if (this.#bytes === 0) this.rewrite({ start: 0n, end: 0n, leaderEpoch: 0, epochEnds: [], batches: [] })
    const [first] = batches
    const bytes =
      batches.length === 1 && first !== undefined
        ? first.bytes
        : Buffer.concat(batches.map((batch) => batch.bytes))
    this.#files.append(this.#path, bytes, this.#bytes)
    this.#bytes += bytes.length
  }

  rewrite({ start, end, leaderEpoch, epochEnds, batches }: StoredLog): void {
    const head: Head = {
      ...{ start: start.toString(), end: end.toString(), leaderEpoch },
      epochEnds: epochEnds.map(([epoch, its]) => [epoch, its.toString()]),
    }
    const contents = [Buffer.from(`${JSON.stringify(head)}\n`), ...batches.map(({ bytes }) => bytes)]
    this.#files.close(this.#path)
    replaceFile(this.#path, contents, this.#fsync)
    this.#bytes = contents.reduce((sum, { length }) => sum + length, 0)
  }
}

function headIn(line: Buffer, path: string): LogState {
  try {
    const { start, end, leaderEpoch, epochEnds } = JSON.parse(line.toString()) as Head
    return {
      ...{ start: BigInt(start), end: BigInt(end), leaderEpoch },
      epochEnds: epochEnds.map(([epoch, its]) => [epoch, BigInt(its)]),
    }
  } catch (cause) {
    throw new PipelineError(
      'KD_SERVER_FAILED',
      'the embedded broker cannot read the first line of a partition; remove its folder, or restore it',
      { path },
      { cause },
    )
  }
}
