// Bundles the compiled modules in `dist`, since loading 1,400 small files took three quarters of a second of CPU at each start:
// `node --import tsx scripts/bundle.ts [DIST]`, part of `npm run build`.
//
// - `dist/command` holds the command `kafka-delta` with its dependencies;
// - `dist/console` holds the page of the console;
// - `dist/library` holds the library, which imports its dependencies from where its user installed them: one file for each
//   entry of `exports` in package.json, and what they share;
// - `dist/sources` holds the sources of the public declarations, to which the maps of these point.
//
// Modules that were bundled, and declarations that no type of the public API needs, are deleted from `dist`, since the
// package holds what its users read and run.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { build } from 'esbuild'
import { BUNDLE_OPTIONS, bundleCommand, THREAD_PROGRAM } from './bundle-command.ts'
import { writeConsolePage } from './console/page.ts'
import { relocateDeclarationMap } from './declaration-map.ts'

const dist = normalize(process.argv[2] ?? 'dist')
const library = join(dist, 'library')
/** Sources of the public declarations, for editors. */
const sources = join(dist, 'sources')
const entries = publicEntries()
await Promise.all([
  bundleCommand(dist, join(dist, 'command')),
  writeConsolePage(join(dist, 'console', 'page.html')),
])
for (const folder of [library, sources]) rmSync(folder, { recursive: true, force: true })
await build({
  ...BUNDLE_OPTIONS,
  entryPoints: [...entries.map((entry) => `${entry}.js`), THREAD_PROGRAM].map((path) => ({
    in: join(dist, path),
    out: basename(path, '.js'),
  })),
  outdir: library,
  packages: 'external',
})

const declarations = publicDeclarations()
for (const folder of ['src', 'config', 'operators'])
  for (const name of readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })) {
    const path = join(dist, folder, name)
    const isPublic = declarations.has(path.replace(/\.map$/, ''))
    if (name.endsWith('.js') || (/\.d\.ts(?:\.map)?$/.test(name) && !isPublic)) rmSync(path)
    else if (name.endsWith('.d.ts.map')) {
      const moved = relocateDeclarationMap(readFileSync(path, 'utf8'), path, sources)
      writeFileSync(path, moved.map)
      for (const source of moved.sources) cpSync(source, join(sources, source))
    }
  }

/** Returns the modules that `exports` in package.json names, by the declarations of their types: `src/index`. */
function publicEntries(): readonly string[] {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>
  }
  return Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.types.replace(/^\.\/dist\/|\.d\.ts$/g, '')],
  )
}

/** Returns the declarations that those of the library's entries import, directly or not. */
function publicDeclarations(): ReadonlySet<string> {
  const kept = new Set<string>()
  const open = entries.map((entry) => join(dist, `${entry}.d.ts`))
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (kept.has(path)) continue
    kept.add(path)
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(
      /\b(?:from |import\()['"](\.[^'"]+)\.[tj]s['"]/g,
    ))
      open.push(join(dirname(path), `${target}.d.ts`))
  }
  return kept
}
