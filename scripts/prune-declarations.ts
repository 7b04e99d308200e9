// Deletes the declarations in `dist` that no type of the public API needs, since the package holds what its users read:
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
