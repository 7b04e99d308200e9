import { pathToFileURL } from 'node:url'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { installHostModules } from './host-modules.ts'
import { userCodePlaceOf } from './place.ts'

/**
 * Returns the default export of a file with operators. A file is loaded once in a process.
 * @throws KD_CONFIG_INVALID naming the file and the reason: it cannot be loaded, throws, or has no default export
 */
export async function loadOperatorsFile(path: string): Promise<unknown> {
  installHostModules()
  let exported: { readonly default?: unknown }
  try {
    exported = (await import(pathToFileURL(path).href)) as typeof exported
  } catch (error) {
    throw new PipelineError('KD_CONFIG_INVALID', `operators: ${reasonOf(error, path)}`, {}, { cause: error })
  }
  if (exported.default === undefined) {
    const detail = `operators: ${path} has no default export; write \`export default defineOperators(…)\``
    throw new PipelineError('KD_CONFIG_INVALID', detail)
  }
  return exported.default
}

function reasonOf(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(path))
    return `${path} is TypeScript, which Node ${process.versions.node} does not run: use Node 22.18, 23.6 or newer, or compile the file to JavaScript and name that`
  const place = userCodePlaceOf(error)
  const at = place === undefined || !place.startsWith(path) ? '' : ` at line ${place.slice(path.length + 1)}`
  const name = error instanceof Error ? `${error.name}: ` : ''
  return `${path} cannot be loaded${at}: ${name}${messageOf(error)}${syntaxPlaceOf(error)}`
}

/** Returns the first line of the stack of a syntax error, which names the file and the line. */
function syntaxPlaceOf(error: unknown): string {
  if (!(error instanceof SyntaxError)) return ''
  const [first = ''] = (error.stack ?? '').split('\n')
  return /:\d+$/.test(first) ? ` (${first})` : ''
}
