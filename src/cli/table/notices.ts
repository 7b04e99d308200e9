import type { PipelineError } from '../../core/errors.ts'
import { formatError } from '../output.ts'

/** Prints a line about progress to standard error, so that standard output has only the result. */
export function printNotice(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Prints a warning to standard error; the command continues. */
export function printWarning(warning: PipelineError): void {
  process.stderr.write(formatError(warning, false).replace(/^error:/, 'warning:'))
}
