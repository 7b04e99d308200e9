import { messageOf, PipelineError } from '../../core/errors.ts'
import { DISK_FILES, type SchemaFiles } from '../schema-files.ts'
import { parseExact } from './exact.ts'
import { withoutBom } from './json-input.ts'

/**
 * Reads the JSON file at `path`.
 * @throws KD_CONTRACT_INVALID when it cannot be read or is not JSON
 */
export async function readSchemaFile(path: string, files: SchemaFiles = DISK_FILES): Promise<unknown> {
  try {
    return parseExact(withoutBom(await files.read(path)))
  } catch (error) {
    throw new PipelineError('KD_CONTRACT_INVALID', messageOf(error), { source: path }, { cause: error })
  }
}
