// Deletes the declarations in `dist` that no type of the public API needs, and the modules that hold types alone, since the
// package holds what its users read and run:
// `node --import tsx scripts/prune-declarations.ts [DIST]`, part of `npm run build`.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const dist = normalize(process.argv[2] ?? 'dist')
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
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
  if (name.endsWith('.d.ts') && !kept.has(join(dist, name))) rmSync(join(dist, name))

// Nothing imports such a module at run time, unless for its effects, of which it has none.
const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
const imported = new Set<string>()
for (const name of names)
  for (const [, target = ''] of readFileSync(join(dist, name), 'utf8').matchAll(
    /\b(?:from |import |import\()['"](\.[^'"]+)['"]/g,
  ))
    imported.add(join(dirname(name), target))
for (const name of names)
  if (!imported.has(name) && readFileSync(join(dist, name), 'utf8').trim() === 'export {};')
    rmSync(join(dist, name))
