import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/** Files that are open at the same time; the one that was used longest ago is closed first. */
const FILES_MAX = 256

/** Says when bytes are on the disk: as the kernel likes, or before each answer. */
export type FsyncPolicy = 'never' | 'always'

/** Appends to many files with a bounded number of descriptors. */
export class OpenFiles {
  readonly #fsync: FsyncPolicy
  readonly #open = new Map<string, number>()

  constructor(fsync: FsyncPolicy) {
    this.#fsync = fsync
  }

  /** Writes `bytes` at `position`, the end of the file; cuts them off again if not all of them fit. */
  append(path: string, bytes: Uint8Array, position: number): void {
    const descriptor = this.#descriptorOf(path)
    try {
      for (let at = 0; at < bytes.length;)
        at += writeSync(descriptor, bytes, at, bytes.length - at, position + at)
      if (this.#fsync === 'always') fdatasyncSync(descriptor)
    } catch (error) {
      ftruncateSync(descriptor, position)
      throw error
    }
  }

  /** Closes a file that is about to be replaced or removed. */
  close(path: string): void {
    const descriptor = this.#open.get(path)
    this.#open.delete(path)
    if (descriptor !== undefined) closeSync(descriptor)
  }

  closeAll(): void {
    for (const path of [...this.#open.keys()]) this.close(path)
  }

  #descriptorOf(path: string): number {
    const known = this.#open.get(path)
    const descriptor = known ?? openSync(path, 'r+')
    this.#open.delete(path)
    this.#open.set(path, descriptor)
    const [oldest] = this.#open.keys()
    if (this.#open.size > FILES_MAX && oldest !== undefined) this.close(oldest)
    return descriptor
  }
}
