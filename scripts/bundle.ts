// Bundles the compiled modules in `dist`, since loading 1,400 small files took three quarters of a second of CPU at each start:
// `node --import tsx scripts/bundle.ts [DIST]`, part of `npm run build`.
//
// - `dist/command` holds the command `kafka-delta` with its dependencies;
// - `dist/library` holds the library, which imports its dependencies from where its user installed them.
//
// Modules that were bundled, and declarations that no type of the public API needs, are deleted from `dist`, since the
// package holds what its users read and run.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { build } from 'esbuild'
import { BUNDLE_OPTIONS, bundleCommand, THREAD_PROGRAM } from './bundle-command.ts'

const dist = normalize(process.argv[2] ?? 'dist')
const library = join(dist, 'library')
await bundleCommand(dist, join(dist, 'command'))
rmSync(library, { recursive: true, force: true })
await build({
  ...BUNDLE_OPTIONS,
  entryPoints: [join(dist, 'src/index.js'), join(dist, THREAD_PROGRAM)].map((path) => ({
    in: path,
    out: basename(path, '.js'),
  })),
  outdir: library,
  packages: 'external',
})

const declarations = publicDeclarations()
for (const folder of ['src', 'config', 'operators'])
  for (const name of readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })) {
    const path = join(dist, folder, name)
    if (name.endsWith('.js') || (name.endsWith('.d.ts') && !declarations.has(path))) rmSync(path)
  }

/** Returns the declarations that those of the library's entry import, directly or not. */
function publicDeclarations(): ReadonlySet<string> {
  const kept = new Set<string>()
  const open = [join(dist, 'src/index.d.ts')]
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
