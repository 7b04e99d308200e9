import { existsSync, readdirSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Modules of this package by the name under which code of users imports them. */
type HostModules = Readonly<Record<string, string>>

/** The hooks of Node 20, which run in a thread of their own. */
const LOADER = `let modules = {}
  export function initialize(given) { modules = given }
  export function resolve(specifier, context, next) {
  return next(Object.hasOwn(modules, specifier) ? modules[specifier] : specifier, context)
}`

let isInstalled = false

/**
 * Makes `import … from 'kafka-delta'` and `'rxjs'` in the code of a user mean the modules that this process runs, wherever the
 * file is: an image or a global installation of the command has no `node_modules` beside the file, and a second copy of the
 * package would have classes of its own.
 */
export function installHostModules(): void {
  if (isInstalled) return
  isInstalled = true
  const modules = hostModules(dirname(fileURLToPath(import.meta.url)))
  const { register, registerHooks } = nodeModule as typeof nodeModule & {
    readonly registerHooks?: (hooks: {
      readonly resolve: <C, R>(specifier: string, context: C, next: (specifier: string, context: C) => R) => R
    }) => void
  }
  if (registerHooks !== undefined)
    registerHooks({
      resolve: (specifier, context, next) =>
        next(Object.hasOwn(modules, specifier) ? (modules[specifier] as string) : specifier, context),
    })
  else if (typeof register === 'function')
    register(`data:text/javascript,${encodeURIComponent(LOADER)}`, { data: modules })
}

/** Matches the files of entries, and not those of shared code, whose names end in a hash. */
const ENTRY = /^([a-z0-9]+(?:\.[a-z]+)?)(\.[jt]s)$/

/** The extension of modules of this process: sources may be compiled beside themselves. */
const EXTENSION = extname(fileURLToPath(import.meta.url))

/** Returns the modules of the process whose code is in `folder`: of the command, of the library, or of the sources. */
function hostModules(folder: string): HostModules {
  const inCommand = join(folder, 'library')
  if (existsSync(inCommand)) return entriesOf(inCommand)
  const root = join(folder, '../..')
  const index = `index${EXTENSION}`
  const isSource = existsSync(join(root, 'service/operators'))
  // Absent in the first versions of Node 20.
  const canResolve = typeof import.meta.resolve === 'function'
  return {
    ...(isSource
      ? { ...entriesOf(join(root, 'entries')), 'kafka-delta': urlOf(root, index) }
      : entriesOf(folder)),
    ...(canResolve
      ? { rxjs: import.meta.resolve('rxjs'), 'rxjs/operators': import.meta.resolve('rxjs/operators') }
      : {}),
  }
}

/** Returns the modules of a folder by the names under which they are imported: `service.js` is `kafka-delta/service`. */
function entriesOf(folder: string): HostModules {
  if (!existsSync(folder)) return {}
  const modules = readdirSync(folder).flatMap((file): [string, string][] => {
    const [, name, extension] = ENTRY.exec(file) ?? []
    if (name === undefined || extension !== EXTENSION) return []
    return [[name.startsWith('rxjs') ? name.replace('.', '/') : nameOf(name), urlOf(folder, file)]]
  })
  return Object.fromEntries(modules)
}

function nameOf(entry: string): string {
  return entry === 'index' ? 'kafka-delta' : `kafka-delta/${entry}`
}

function urlOf(folder: string, file: string): string {
  return pathToFileURL(join(folder, file)).href
}
