import { existsSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf, PipelineError, type ErrorContext } from '../../core/errors.ts'

/** Folders with the code of this project: those of the sources, or of the bundle that runs. */
const OWN_FOLDERS = ownFolders()

/** Finds the file of a stack frame with its line and column, as `at run (file:///a/b.js:3:9)` or `at /a/b.js:3:9`. */
const FRAME = /(?:\(|at |@)((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/

/**
 * Returns the place where code of a user threw `error`, as `file:line:column`: the first frame of its stack outside of this
 * project, of Node and of installed packages, or else the first one in an installed package. Returns `undefined` for an error
 * without such a frame.
 */
export function userCodePlaceOf(error: unknown): string | undefined {
  let current = error
  let inPackage: string | undefined
  for (let depth = 0; depth < 10 && current instanceof Error; depth++) {
    for (const line of (current.stack ?? '').split('\n')) {
      const [, file = '', row, column] = FRAME.exec(line.trim()) ?? []
      if (file === '' || row === undefined) continue
      const path = file.startsWith('file://') ? fileURLToPath(file) : file
      if (OWN_FOLDERS.some((folder) => path.startsWith(folder))) continue
      const place = `${path}:${row}:${column ?? '1'}`
      if (!path.includes(`${sep}node_modules${sep}`)) return place
      inPackage ??= place
    }
    current = current.cause
  }
  return inPackage
}

/** Returns the error of a topic whose custom code threw `thrown`; an error of the catalogue is returned as it is. */
export function operatorFailedError(what: string, thrown: unknown, context: ErrorContext): PipelineError {
  if (thrown instanceof PipelineError) return thrown
  const detail = `${what} threw ${nameOf(thrown)}${messageOf(thrown)}`
  return new PipelineError(
    'KD_OPERATOR_FAILED',
    detail,
    { ...context, at: userCodePlaceOf(thrown) },
    { cause: thrown },
  )
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.name !== 'Error' ? `${thrown.name}: ` : ''
}

function ownFolders(): readonly string[] {
  const here = dirname(fileURLToPath(import.meta.url))
  const root = join(here, '../../..')
  const isSource =
    here.endsWith(join('src', 'service', 'operators')) && existsSync(join(root, 'package.json'))
  return isSource ? ['src', 'operators', 'config'].map((name) => join(root, name) + sep) : [here + sep]
}
