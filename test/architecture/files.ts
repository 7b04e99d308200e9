import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'

/** Describes one TypeScript file of the project and what it imports. */
export interface SourceFile {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
  /** Paths of the project's own files that it imports, for values or for types alone. */
  readonly imports: readonly string[]
  /** Names of packages that it imports. */
  readonly packages: readonly string[]
}

const FOLDERS = ['src', 'operators', 'config', 'test', 'examples', 'bench', 'scripts']

/** Holds every TypeScript file of the project. */
export const FILES: readonly SourceFile[] = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('fixtures/'))
    .map((name) => fileAt(join(folder, name))),
)

/** Holds the files that are compiled into the package. */
export const PRODUCT: readonly SourceFile[] = FILES.filter(({ path }) =>
  /^(?:src|operators|config)\//.test(path),
)

function fileAt(path: string): SourceFile {
  const text = readFileSync(path, 'utf8')
  const targets = [
    ...text.matchAll(
      /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
  const imports = targets
    .filter((target) => target.startsWith('.'))
    .map((target) => normalize(join(dirname(path), target)))
  const packages = targets.filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
  return { path, text, imports, packages }
}

/** Returns where a file belongs: `src/arrow/rows.ts` to `arrow`; a file directly in `src` to a place of its own name. */
export function placeOf(path: string): string {
  const [first = '', second = '', third] = path.split('/')
  if (first !== 'src') return first
  return third === undefined ? basename(second, '.ts') : second
}
