import { isUtf8 } from 'node:buffer'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { Contract } from '../../contract/contract.ts'
import type { Format } from '../format.ts'
import { valueFormat } from '../values.ts'

/** The column that holds the whole value. */
const COLUMN = 'value'

/** Returns the format that stores values as UTF-8 text in the column `value`. */
export function textFormat(): Format {
  return valueFormat('text', {
    read(value) {
      if (!isUtf8(value)) throw new Error('expected UTF-8, got invalid bytes')
      return { [COLUMN]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8') }
    },
  })
}

/** Returns the format that stores values unchanged in the binary column `value`. */
export function bytesFormat(): Format {
  return valueFormat('bytes', {
    read: (value) => ({
      [COLUMN]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
    }),
  })
}

/** Returns the contract of a format with a single column, or `undefined` for all other formats. */
export function singleColumnContract(format: string): Contract | undefined {
  const type = format === 'text' ? 'string' : format === 'bytes' ? 'binary' : undefined
  if (type === undefined) return undefined
  const field = { name: COLUMN, type, nullable: true, metadata: {} } as const
  return contractOfTable({ type: 'struct', fields: [field] }, `the format ${format}`)
}
