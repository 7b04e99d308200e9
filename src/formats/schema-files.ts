import { readdir, readFile, stat } from 'node:fs/promises'

/** Reads the files that hold the schemas of a format. */
export interface SchemaFiles {
  /** Returns the text of a file. Throws the error of the operating system when it cannot be read. */
  read(path: string): Promise<string>
  /** Returns the names of the files in a folder, or `file` for the path of a file. Throws as `read` does. */
  list(path: string): Promise<readonly string[] | 'file'>
}

/** Reads files on disk. */
export const DISK_FILES: SchemaFiles = {
  read: (path) => readFile(path, 'utf8'),
  list: async (path) => ((await stat(path)).isFile() ? 'file' : await readdir(path)),
}

/** Holds what was read from files, as plain data. */
export interface ReadFiles {
  readonly texts: ReadonlyMap<string, string>
  readonly folders: ReadonlyMap<string, readonly string[] | 'file'>
}

/** Reads files from disk and keeps what it has read, so that it can be read again elsewhere after the files have changed. */
export class RecordedFiles implements SchemaFiles, ReadFiles {
  readonly texts = new Map<string, string>()
  readonly folders = new Map<string, readonly string[] | 'file'>()

  async read(path: string): Promise<string> {
    const text = await DISK_FILES.read(path)
    this.texts.set(path, text)
    return text
  }

  async list(path: string): Promise<readonly string[] | 'file'> {
    const found = await DISK_FILES.list(path)
    this.folders.set(path, found)
    return found
  }
}

/** Returns files that hold what was read from others; every other path does not exist. */
export function filesFrom({ texts, folders }: ReadFiles): SchemaFiles {
  return {
    read: (path) => found(texts.get(path), path),
    list: (path) => found(folders.get(path), path),
  }
}

function found<T>(value: T | undefined, path: string): Promise<T> {
  if (value !== undefined) return Promise.resolve(value)
  return Promise.reject(Object.assign(new Error(`ENOENT: no such file, '${path}'`), { code: 'ENOENT' }))
}
