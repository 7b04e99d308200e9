import { isUtf8 } from 'node:buffer'
import { contractOfTable } from '../../contract/table-contract.ts'
import type { Contract } from '../../contract/contract.ts'
import { currentOf, type Changing } from '../../core/changing.ts'
import type { Format, FormatOptions } from '../format.ts'
import { decodeRecords } from '../record-columns.ts'
import type { ValueReader } from '../values.ts'
import { ValueColumn } from './value-column.ts'

/** The column that holds the whole value. */
const COLUMN = 'value'

type Options = FormatOptions | Changing<FormatOptions>

/**
 * Returns the format that stores values as UTF-8 text in the column `value`, directly where `changing` has that column, and
 * through objects elsewhere.
 */
export function textFormat(changing?: Options): Format {
  return singleColumnFormat('text', 'string', changing, (value) => {
    if (!isUtf8(value)) throw new Error('expected UTF-8, got invalid bytes')
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
  })
}

/** Returns the format that stores values unchanged in the binary column `value`, as `textFormat` does. */
export function bytesFormat(changing?: Options): Format {
  return singleColumnFormat('bytes', 'binary', changing, (value) =>
    Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  )
}

function singleColumnFormat(
  name: string,
  type: 'string' | 'binary',
  changing: Options | undefined,
  textOf: (value: Uint8Array) => string,
): Format {
  const objects: ValueReader = { read: (value) => ({ [COLUMN]: textOf(value) }) }
  let idle: { readonly of: FormatOptions; readonly columns: ValueColumn } | undefined
  const columnsOf = (of: FormatOptions): NonNullable<typeof idle> =>
    idle?.of === of ? idle : { of, columns: new ValueColumn(of, COLUMN, type) }
  return {
    name,
    decode(raw) {
      const options = changing && currentOf(changing)
      const reader = options?.plain === undefined ? undefined : columnsOf(options)
      // Kept only when the batch succeeds: after an error, such as that of a default value, it holds its rows.
      idle = undefined
      const decoded = decodeRecords(raw, reader?.columns, options?.onlyColumns === true ? undefined : objects)
      idle = reader
      return decoded
    },
    objectReasons() {
      const options = changing && currentOf(changing)
      if (options?.plain === undefined) return [NO_COLUMNS]
      idle = columnsOf(options)
      return idle.columns.reasons()
    },
  }
}

const NO_COLUMNS = {
  subject: 'contract',
  reason: 'values are decoded as objects, because the rules for the columns are not plain data',
}

/** Returns the contract of a format with a single column, or `undefined` for all other formats. */
export function singleColumnContract(format: string): Contract | undefined {
  const type = format === 'text' ? 'string' : format === 'bytes' ? 'binary' : undefined
  if (type === undefined) return undefined
  const field = { name: COLUMN, type, nullable: true, metadata: {} } as const
  return contractOfTable({ type: 'struct', fields: [field] }, `the format ${format}`)
}
