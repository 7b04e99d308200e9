import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PipelineError } from '../../core/errors.ts'
import type { Ledger } from '../ledger.ts'
import type { LogStore } from '../log/log-store.ts'
import { Journal } from './journal.ts'
import { OpenFiles, type FsyncPolicy } from './open-files.ts'
import { PartitionFile } from './partition-file.ts'

/** Holds the files of a broker. */
export interface BrokerFolder {
  readonly ledger: Ledger
  /** Returns the file of a partition; `topicId` has 32 hex digits. */
  storeOf(topicId: string, partition: number): LogStore
  /** Removes the files of a topic. */
  removeTopic(topicId: string): void
  close(): void
}

/** Folders that brokers of this process use. */
const inUse = new Set<string>()

/**
 * Opens the folder of a broker, which is created if it is not there; files of topics that no longer exist are removed.
 * @throws PipelineError if another broker uses it, or if it cannot be read
 */
export function openBrokerFolder(folder: string, fsync: FsyncPolicy): BrokerFolder {
  const path = resolve(folder)
  const topics = join(path, 'topics')
  const lock = join(path, 'lock')
  mkdirSync(topics, { recursive: true })
  claim(path, lock)
  const files = new OpenFiles(fsync)
  const close = (): void => {
    files.closeAll()
    rmSync(lock, { force: true })
    inUse.delete(path)
  }
  try {
    const ledger = new Journal(join(path, 'journal'), files, fsync)
    const known = new Set(ledger.facts('topic').map(([[id]]) => id))
    for (const id of readdirSync(topics)) if (!known.has(id)) rmSync(join(topics, id), { recursive: true })
    const opened = new Map<string, Set<string>>()
    return {
      ledger,
      close,
      storeOf: (topicId, partition) => {
        const file = join(topics, topicId, `${partition}.log`)
        const its = opened.get(topicId) ?? new Set<string>()
        if (its.size === 0) mkdirSync(join(topics, topicId), { recursive: true })
        opened.set(topicId, its.add(file))
        return new PartitionFile(file, files, fsync)
      },
      removeTopic: (topicId) => {
        for (const file of opened.get(topicId) ?? []) files.close(file)
        opened.delete(topicId)
        rmSync(join(topics, topicId), { recursive: true, force: true })
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

/** Takes the lock of a folder, also from a process that is gone. */
function claim(path: string, lock: string): void {
  const holder = holderOf(lock)
  if (inUse.has(path) || (holder !== process.pid && isAlive(holder)))
    throw new PipelineError(
      'KD_SERVER_FAILED',
      `another embedded broker, process ${holder}, uses the folder; stop it, name another folder, or remove the file lock if there is no such broker`,
      { path },
    )
  writeFileSync(lock, String(process.pid))
  inUse.add(path)
}

function holderOf(lock: string): number {
  try {
    return Number(readFileSync(lock, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
