import { readFile } from 'node:fs/promises'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { parseExact } from './exact.ts'
import { withoutBom } from './json-input.ts'

/**
 * Reads the JSON file at `path`.
 * @throws KD_CONTRACT_INVALID when it cannot be read or is not JSON
 */
export async function readSchemaFile(path: string): Promise<unknown> {
  try {
    return parseExact(withoutBom(await readFile(path, 'utf8')))
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
}
