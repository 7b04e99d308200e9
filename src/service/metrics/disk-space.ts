import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemClock, type Clock } from '../../core/clock.ts'
import { circuitNameOf } from '../../storage/circuit-name.ts'
import type { ObserveMetric } from '../../telemetry/metrics/observed-metrics.ts'
import type { Health } from '../health/health.ts'

/** Describes the room on one file system. */
interface FreeSpace {
  /** The first folder that was asked about on this file system. */
  readonly path: string
  /** Bytes that the process may still write. */
  readonly bytes: number
}

/** Describes the file system of a folder. */
interface FileSystem extends FreeSpace {
  /** Number of the device: equal for folders on the same file system. */
  readonly device: number
}

/** Shortest pause between two samples of a folder. */
const SAMPLE_EVERY_MS = 30_000
/** Age beyond which a sample is not reported: a network file system may hang, and its old value would look fine. */
const SAMPLE_MS_MAX = 600_000
const FILE_SCHEME = 'file://'

/**
 * Samples the free space of the file systems that hold some folders. A sample is started by `read`, at most every 30
 * seconds, and never awaited: a hanging file system delays no reader. Folders are asked one after the other, so that a
 * hanging one takes one thread of the process.
 */
export class DiskSpace {
  readonly #folders: () => readonly string[]
  readonly #clock: Clock
  readonly #fileSystemOf: (folder: string) => Promise<FileSystem>
  #spaces: readonly FreeSpace[] = []
  #sampledAtMs = -Infinity
  #startedAtMs = -Infinity
  #sampling: Promise<void> | undefined

  /** `folders` returns absolute paths, which need not exist yet; `fileSystemOf` asks the operating system by default. */
  constructor(folders: () => readonly string[], clock: Clock = systemClock, fileSystemOf = askFileSystem) {
    this.#folders = folders
    this.#clock = clock
    this.#fileSystemOf = fileSystemOf
  }

  /**
   * Returns the last sample, one entry for each file system, and starts the next sample when it is due. Returns nothing
   * before the first sample and when the last one is older than ten minutes.
   */
  read(): readonly FreeSpace[] {
    const nowMs = this.#clock.now()
    if (this.#sampling === undefined && nowMs - this.#startedAtMs >= SAMPLE_EVERY_MS) {
      this.#startedAtMs = nowMs
      this.#sampling = this.#sample().finally(() => (this.#sampling = undefined))
    }
    return nowMs - this.#sampledAtMs > SAMPLE_MS_MAX ? [] : this.#spaces
  }

  /** Resolves when no sample is being taken. Never rejects. */
  async idle(): Promise<void> {
    await this.#sampling
  }

  async #sample(): Promise<void> {
    const byDevice = new Map<number, FreeSpace>()
    for (const folder of new Set(this.#folders())) {
      try {
        const { device, bytes } = await this.#fileSystemOf(folder)
        if (!byDevice.has(device)) byDevice.set(device, { path: folder, bytes })
      } catch {
        // A folder that cannot be asked about has no value; writing to it reports the reason.
      }
    }
    this.#spaces = [...byDevice.values()]
    this.#sampledAtMs = this.#clock.now()
  }
}

/** Returns the folders of local tables, dead-letter tables and replay ledgers of a process, in the order of its topics. */
export function localFoldersOf({ topics }: Pick<Health, 'topics'>): readonly string[] {
  const uris = topics.flatMap(({ config: { table, deadLetters } }) => [
    table.uri,
    deadLetters.table,
    deadLetters.replayLedger,
  ])
  return uris.flatMap((uri) => {
    const name = uri === undefined ? undefined : circuitNameOf(uri)
    return name?.startsWith(FILE_SCHEME) === true ? [name.slice(FILE_SCHEME.length)] : []
  })
}

/** Registers the metric of the free space below local tables. */
export function registerDiskMetrics(observe: ObserveMetric, health: Pick<Health, 'topics'>): DiskSpace {
  const space = new DiskSpace(() => localFoldersOf(health))
  observe('kafka_delta.disk.free', (report) => {
    for (const { path, bytes } of space.read()) report(bytes, { path })
  })
  return space
}

/** Asks about a folder, or about the nearest folder above it that exists. */
async function askFileSystem(folder: string): Promise<FileSystem> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const [{ dev }, { bavail, bsize }] = await Promise.all([stat(path), statfs(path)])
      return { path: folder, device: dev, bytes: bavail * bsize }
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isMissing || dirname(path) === path) throw error
    }
  }
}
