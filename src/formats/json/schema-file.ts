import { readFile } from 'node:fs/promises'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { parseExact } from './exact.ts'

/**
 * What the JSON file at `path` holds.
 * @throws KD_CONTRACT_INVALID where it cannot be read or is no JSON
 */
export async function readSchemaFile(path: string): Promise<unknown> {
  try {
    return parseExact((await readFile(path, 'utf8')).replace(/^\ufeff/, ''))
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
}
