import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FsyncPolicy } from './open-files.ts'

/** Replaces a file by one with these contents, so that whoever opens it finds the old or the new one, never a part. */
export function replaceFile(path: string, contents: readonly Uint8Array[], fsync: FsyncPolicy): void {
  const temporary = `${path}.new`
  const descriptor = openSync(temporary, 'w')
  try {
    for (const bytes of contents) writeFileSync(descriptor, bytes)
    if (fsync === 'always') fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  if (fsync === 'always') syncFolder(dirname(path))
}

/** Brings the names of a folder to the disk. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
