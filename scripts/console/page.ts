// Builds the page of the console, one file without assets from outside: part of `npm run build`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

const SOURCES = 'src/console/page'

/** Returns the page with its style and its script in it. */
export async function buildConsolePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(SOURCES, 'main.ts'), join(SOURCES, 'style.css')],
    bundle: true,
    minify: true,
    write: false,
    outdir: 'out',
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning',
  })
  const textOf = (ending: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(ending))
    if (file === undefined) throw new Error(`esbuild wrote no ${ending}`)
    return file.text.trim()
  }
  // A script or style ends where its end tag stands, even within a text.
  const inline = (text: string, tag: string): string => text.replaceAll(`</${tag}`, `<\\/${tag}`)
  return readFileSync(join(SOURCES, 'page.html'), 'utf8')
    .replace('/* style */', () => inline(textOf('.css'), 'style'))
    .replace('/* script */', () => inline(textOf('.js'), 'script'))
}

/** Writes the page to a file. */
export async function writeConsolePage(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, await buildConsolePage())
}
