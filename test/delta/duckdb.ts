import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api'

/** Returns the rows that DuckDB finds in Parquet files, in the form of `readRowLines`: an independent reader. */
export async function duckdbLines(glob: string, columns: readonly string[]): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const names = columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')
    const from = `read_parquet('${glob.replaceAll("'", "''")}', hive_partitioning = false, union_by_name = true)`
    const reader = await connection.runAndReadAll(`SELECT ${names} FROM ${from}`)
    return reader.getRows().map((row) => {
      const fields = row.map((value, index) => {
        const type = reader.columnType(index)
        // Without entries only the type tells whether keys are text.
        const isEmptyList =
          value instanceof DuckDBMapValue && value.entries.length === 0 && !hasTextKeys(type)
        return `${JSON.stringify(columns[index])}:${isEmptyList ? '[]' : textOf(value)}`
      })
      return `{${fields.join(',')}}\n`
    })
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function hasTextKeys(type: DuckDBType): boolean {
  return type instanceof DuckDBMapType && type.keyType.typeId === DuckDBTypeId.VARCHAR
}

function textOf(value: DuckDBValue): string {
  if (value === null) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `"${value}"`
    return Object.is(value, -0) ? '-0.0' : String(value)
  }
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBDateValue) return `"${value.toString()}"`
  if (value instanceof DuckDBTimestampTZValue) return `"${isoOf(value.micros)}Z"`
  if (value instanceof DuckDBTimestampValue) return `"${isoOf(value.micros)}"`
  if (value instanceof DuckDBBlobValue) return `"${Buffer.from(value.bytes).toString('base64')}"`
  if (value instanceof DuckDBListValue) return `[${value.items.map(textOf).join(',')}]`
  if (value instanceof DuckDBStructValue) {
    const fields = Object.entries(value.entries).map(
      ([name, item]) => `${JSON.stringify(name)}:${textOf(item)}`,
    )
    return `{${fields.join(',')}}`
  }
  if (value instanceof DuckDBMapValue) {
    const textual = value.entries.every(({ key }) => typeof key === 'string')
    const entries = value.entries.map(({ key, value: item }) =>
      textual ? `${textOf(key)}:${textOf(item)}` : `[${textOf(key)},${textOf(item)}]`,
    )
    return textual ? `{${entries.join(',')}}` : `[${entries.join(',')}]`
  }
  if (
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue
  ) {
    throw new Error('no fixture has timestamps in other units than microseconds')
  }
  return JSON.stringify(value)
}

function isoOf(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19)
  return `${seconds}.${fraction.toString().padStart(6, '0')}`
}
