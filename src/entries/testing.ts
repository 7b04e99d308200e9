/** Exports what tests of chains need, without Kafka and without a disk: `kafka-delta/testing`. */
export { batchesOf, rowsOf, type TestBatchOptions, type TestValue } from '../testing/test-batches.ts'
export { memoryTable, type MemoryTable } from '../testing/memory-table.ts'
export { memorySource, type MemorySource, type MemorySourceOptions } from '../testing/memory-source.ts'
