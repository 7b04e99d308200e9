import { isUtf8 } from 'node:buffer'
import { contractOfTable } from '../../contract/existing.ts'
import type { Contract } from '../../contract/contract.ts'
import type { Format } from '../format.ts'
import { valueFormat } from '../values.ts'

/** The column that takes the whole of a value. */
const COLUMN = 'value'

/** Values as UTF-8 text in the column `value`. */
export function textFormat(): Format {
  return valueFormat('text', (value) => {
    if (!isUtf8(value)) throw new Error('expected UTF-8, got bytes that are none')
    return { [COLUMN]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8') }
  })
}

/** Values as they are in the binary column `value`. */
export function bytesFormat(): Format {
  return valueFormat('bytes', (value) => ({
    [COLUMN]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  }))
}

/** The contract of a format without any structure; `undefined` for all others. */
export function plainContract(format: string): Contract | undefined {
  const type = format === 'text' ? 'string' : format === 'bytes' ? 'binary' : undefined
  if (type === undefined) return undefined
  const field = { name: COLUMN, type, nullable: true, metadata: {} } as const
  return contractOfTable({ type: 'struct', fields: [field] }, `the format ${format}`)
}
