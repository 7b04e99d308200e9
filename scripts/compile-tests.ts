import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { bundleCommand } from './bundle-command.ts'
import { writeConsolePage } from './console/page.ts'

/** Folders that are not part of the project, or generated from it. */
const EXCLUDED = new Set(['node_modules', 'dist', '.cache', '.git', 'demo', 'coverage'])
const PROGRAMS = ['config', 'operators', 'src', 'test', 'bench', 'scripts', 'examples']

/**
 * Copies the project into a folder of its own, with the compiled JavaScript of every program next to it. Node
 * then loads the programs directly; a TypeScript loader would cost each of some hundred test processes a
 * second. Types are not checked, and files that did not change since the last time are not compiled again.
 * Resolves to the folder.
 */
export async function compileTests(): Promise<string> {
  const folder = resolve('.cache/compiled')
  const known = resolve('.cache/javascript')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await mkdir(known, { recursive: true })
  for (const { name } of await readdir('.', { withFileTypes: true }))
    if (!EXCLUDED.has(name)) await cp(name, join(folder, name), { recursive: true })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'), 'dir')
  const options = await compilerOptions()
  for (const programs of PROGRAMS)
    for (const name of await readdir(programs, { recursive: true })) {
      if (!name.endsWith('.ts')) continue
      const path = join(programs, name)
      await writeFile(join(folder, path.replace(/\.ts$/, '.js')), await javaScriptOf(path, options, known))
    }
  // The command is run as it is shipped.
  await bundleCommand(folder, join(folder, 'dist/command'))
  await writeConsolePage(join(folder, 'dist/console/page.html'))
  await writeFile(join(folder, 'src/cli/main.js'), "import '../../dist/command/main.js'\n")
  return folder
}

async function compilerOptions(): Promise<ts.CompilerOptions> {
  const { config } = ts.parseConfigFileTextToJson(
    'tsconfig.json',
    await readFile('tsconfig.json', 'utf8'),
  ) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.')
  return { ...options, module: ts.ModuleKind.ESNext, inlineSourceMap: true }
}

async function javaScriptOf(
  path: string,
  compilerOptions: ts.CompilerOptions,
  known: string,
): Promise<string> {
  const text = await readFile(path, 'utf8')
  const of = JSON.stringify([ts.version, compilerOptions, path, text])
  const file = join(known, `${createHash('sha256').update(of).digest('hex')}.js`)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const { outputText } = ts.transpileModule(text, { fileName: path, compilerOptions })
  await writeFile(file, outputText)
  return outputText
}
