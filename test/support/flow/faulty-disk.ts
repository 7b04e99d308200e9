import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** A disk whose faults a test sets; files elsewhere are not affected. */
export interface FaultyDisk {
  /** Sets the code with which the writes of more than `bytesMax` bytes fail, halfway; `undefined` lets them pass. */
  setFault(code: string | undefined, bytesMax?: number): void
  /** Writes that failed so far. */
  readonly failures: () => number
  restore(): void
}

/** Replaces the functions of the file system that write, for files below `root`. */
export function faultyDisk(root: string): FaultyDisk {
  const { open, writeFile } = fs
  const paths = new WeakMap<object, string>()
  let fault: { readonly code: string; readonly bytesMax: number } | undefined
  let failures = 0
  const errorOf = (code: string): Error =>
    Object.assign(new Error(`${code}: a fault of the test, write`), { code, syscall: 'write', errno: -1 })
  const replaced = {
    open: async (...args: Parameters<typeof open>): Promise<FileHandle> => {
      const file = await open(...args)
      paths.set(file, String(args[0]))
      return file
    },
    writeFile: async (file: FileHandle, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> => {
      const path = paths.get(file) ?? ''
      const chunks: Uint8Array[] = []
      if (body instanceof Uint8Array) chunks.push(body)
      else for await (const chunk of body) chunks.push(new Uint8Array(chunk))
      const bytes = chunks.reduce((sum, { length }) => sum + length, 0)
      if (fault === undefined || !path.startsWith(root) || bytes <= fault.bytesMax)
        return writeFile(file, Buffer.concat(chunks))
      failures++
      await writeFile(file, Buffer.concat(chunks).subarray(0, bytes / 2))
      throw errorOf(fault.code)
    },
  }
  Object.assign(fs, replaced)
  syncBuiltinESMExports()
  return {
    setFault: (code, bytesMax = 0) => {
      fault = code === undefined ? undefined : { code, bytesMax }
    },
    failures: () => failures,
    restore: () => {
      Object.assign(fs, { open, writeFile })
      syncBuiltinESMExports()
    },
  }
}
