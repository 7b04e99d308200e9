import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'

/** Packages with native code, WebAssembly or a program for threads, which they find beside their own files. */
const NATIVE = ['snappy', 'lz4-napi', '@node-rs/crc32', 'parquet-wasm', 'piscina']
/** Another one, imported where it is needed: `require` would hide the names of its exports from such an import. */
const NATIVE_LATE = '@bokuweb/zstd-wasm'
const NATIVE_NAMESPACE = 'native'
/** RxJS in ES modules. */
const RXJS = 'node_modules/rxjs/dist/esm'
/** A user installs it beside the service. */
const OPTIONAL = '@azure/identity'

/** Holds the options of every bundle. Nothing is minified, so that stack traces can be read. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  // What is imported when it is needed stays in files of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Names of errors and classes are part of messages.
  keepNames: true,
  // Also for modules that were compiled into a folder outside of the project.
  nodePaths: ['node_modules'],
  logLevel: 'warning',
} satisfies BuildOptions

/**
 * Makes bundles load packages with native code by `require`: importing the first module in CommonJS makes Node load a parser of
 * its exports, which takes 13 ms of CPU at each start.
 */
const requireNative: Plugin = {
  name: 'require-native',
  setup(bundle) {
    const filter = new RegExp(`^(?:${NATIVE.join('|')})(?:/|$)`)
    bundle.onResolve({ filter }, ({ path, namespace }) =>
      namespace === NATIVE_NAMESPACE ? { path, external: true } : { path, namespace: NATIVE_NAMESPACE },
    )
    bundle.onLoad({ filter: /./, namespace: NATIVE_NAMESPACE }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

/**
 * Bundles the command `kafka-delta` and its dependencies into `folder`, from the compiled modules in `modules`. The entry is
 * `main.js`; the licenses of all packages in the bundle are in `THIRD-PARTY-LICENSES.txt`. The folder `library` holds the
 * entries of the library and of RxJS as operators of users import them: they share their modules with the command.
 */
export async function bundleCommand(modules: string, folder: string): Promise<void> {
  const programs = [join(modules, 'src/cli/main.js'), join(modules, THREAD_PROGRAM)]
  const metafile = await bundlePrograms([...programs, ...hostEntries(modules)], folder)
  chmodSync(join(folder, 'main.js'), 0o755)
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licensesOf(metafile))
}

/** The program of worker threads, which is looked for beside the module that starts them. */
export const THREAD_PROGRAM = 'src/threads/worker-thread.js'

/** A module to bundle and the name of its file without extension. */
interface Entry {
  readonly in: string
  readonly out: string
}

/** Returns the modules that code of users imports while the command runs it, with the names of their files in the bundle. */
function hostEntries(modules: string): readonly Entry[] {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>
  }
  const library = Object.values(exports).flatMap((entry) => {
    if (typeof entry === 'string') return []
    const name = entry.types.replace(/^\.\/dist\/|\.d\.ts$/g, '')
    return [{ in: join(modules, `${name}.js`), out: `library/${basename(name)}` }]
  })
  return [
    ...library,
    { in: `./${RXJS}/index.js`, out: 'library/rxjs' },
    { in: `./${RXJS}/operators/index.js`, out: 'library/rxjs.operators' },
  ]
}

/**
 * Bundles programs with their dependencies into `folder`, where each keeps its file name or has the one that is given. Resolves
 * to what they hold.
 */
export async function bundlePrograms(
  entryPoints: readonly (string | Entry)[],
  folder: string,
): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true })
  const { metafile } = await build({
    ...BUNDLE_OPTIONS,
    entryPoints: entryPoints.map((entry) =>
      typeof entry === 'string' ? { in: entry, out: basename(entry, '.js') } : entry,
    ),
    outdir: folder,
    external: [OPTIONAL, `${OPTIONAL}/*`, NATIVE_LATE],
    plugins: [requireNative],
    // Builds in ES modules, of which only the used part is bundled.
    mainFields: ['module', 'main'],
    alias: { rxjs: `./${RXJS}/index.js` },
    // Packages in CommonJS call `require` for modules of Node.
    banner: {
      js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);",
    },
    legalComments: 'none',
    metafile: true,
  })
  return metafile
}

/** Returns the packages of a bundle with their licenses, which ask that their text goes along. */
function licensesOf({ inputs }: Metafile): string {
  const packages = new Set<string>()
  for (const input of Object.keys(inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (match?.[1] !== undefined) packages.add(match[1])
  }
  // Packages of one owner often share one text.
  const namesByText = new Map<string, string[]>()
  for (const folder of [...packages].sort()) {
    const { name, text } = licenseOf(folder)
    namesByText.set(text, [...(namesByText.get(text) ?? []), name])
  }
  const line = '-'.repeat(80)
  return [...namesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${line}\n\n`)
}

function licenseOf(folder: string): { readonly name: string; readonly text: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
  }
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  const text =
    file === undefined ? `License: ${license ?? 'not stated'}` : readFileSync(join(folder, file), 'utf8')
  return { name: `${name} ${version}`, text: text.trim() }
}
