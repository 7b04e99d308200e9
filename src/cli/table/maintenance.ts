import { InvalidArgumentError } from 'commander'
import type { PipelineError } from '../../core/errors.ts'
import { errorBlock } from '../output.ts'

/** A line for people while a command works; on standard error, so that what it prints stays what was asked for. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** A warning that stops nothing. */
export function warn(warning: PipelineError): void {
  process.stderr.write(errorBlock(warning, false).replace(/^error:/, 'warning:'))
}

/** Reads `name=value` from the command line, once for each use of the option. */
export function pairOf(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
