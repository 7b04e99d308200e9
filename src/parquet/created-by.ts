/** Names this writer in its Parquet files. */
export const CREATED_BY = 'kafka-delta'
