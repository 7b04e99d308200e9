/** Selects the type of rows made of Debezium events: the columns of the row, those of `fields`, and `__deleted`. */
export type DebeziumRow<T, F extends readonly string[]> = T & {
  readonly [K in F[number] as DebeziumColumnName<K>]: K extends LongField
    ? number | bigint | null
    : string | null
} & { readonly __deleted: boolean | null }

type DebeziumColumnName<K extends string> = `__${WithUnderscores<K>}`

type WithUnderscores<K extends string> = K extends `${infer Head}.${infer Tail}`
  ? `${Head}_${WithUnderscores<Tail>}`
  : K

type LongName = 'ts_ms' | 'ts_us' | 'ts_ns' | 'lsn' | 'xmin' | 'txId' | 'pos' | 'row' | 'server_id' | 'thread'

type LongField = LongName | `source.${LongName}`
