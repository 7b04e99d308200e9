import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Measured } from './measured.ts'
import { median, microsOf, ratioOf, type Pair } from './programs.ts'

/** Holds everything that one run measured. */
export interface Results {
  readonly records: number
  /** Size of all record values, in bytes. */
  readonly bytes: number
  readonly partitions: number
  readonly variants: readonly Variant[]
  readonly memory: readonly MemoryRun[]
  readonly startUp: { readonly floor: Measured; readonly whole: Measured }
  readonly loadAverage: number
}

/** Holds one program with its configuration, measured in pairs with the floor. */
export interface Variant {
  readonly name: string
  readonly pairs: readonly Pair[]
}

/** Holds one run with its own flush size. */
export interface MemoryRun {
  readonly flushBytes: number
  readonly creditBytes: number
  readonly whole: Measured
}

/** Maximum ratio of the first variant's CPU to that of the floor; the run fails above it. */
export const RATIO_MAX = 2.5

/** Returns the median ratio of a variant. */
export function medianRatio({ pairs }: Variant): number {
  return median(pairs.map(ratioOf))
}

/** Returns the page `docs/benchmarks.md`. */
export function benchmarksPage(results: Results): string {
  return `# Benchmarks

<!-- Written by \`npm run bench\`. -->

This page shows the CPU cost of a record. It is compared with the floor: a consumer that only counts its records, which is the
minimum for any program on kafkajs. Absolute figures depend on the machine and its load, so the result is a ratio: floor and
pipeline run one after the other, each in its own process, and the median over the pairs is reported.

${machineOf(results)}

## CPU for a record

${variantTable(results)}

The pipeline reads the topic from start to end into a new local table. It decodes JSON and validates it against the contract
(every record is valid), writes Parquet with zstd and statistics of every column, and makes commits and checkpoints. CPU is
user and system time of the whole process, including threads. MB are 10⁶ bytes of record values. Reading alone ends where the
ranges of all values in the responses are known, with checksums verified and transactions filtered; it only counts, like
the floor.

## Pairs

${results.variants.map(pairTable).join('\n\n')}

## Start-up

Every figure above includes the start of Node.js and the loading of all modules. These alone take
${results.startUp.floor.cpuS.toFixed(2)} s of CPU and ${mib(results.startUp.floor.rssBytesMax)} MiB for the floor,
${results.startUp.whole.cpuS.toFixed(2)} s and ${mib(results.startUp.whole.rssBytesMax)} MiB for the pipeline.

## Memory

Peak resident memory of the process by \`flush.bytes\`, with \`creditBytes\` at its default of twice as much and
\`flush.count\` so large that it has no effect.

| flush.bytes, MiB | creditBytes, MiB | peak memory, MiB | CPU µs per record |
| ---: | ---: | ---: | ---: |
${results.memory.map(memoryRow).join('\n')}
`
}

function machineOf({ records, bytes, partitions, loadAverage }: Results): string {
  return `| | |
| --- | --- |
| Date | ${new Date().toISOString().slice(0, 10)} |
| Machine | ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${mib(totalmem())} MiB |
| Load average at the start | ${loadAverage.toFixed(1)} |
| Node.js | ${process.version} |
| Kafka | one broker on the same machine, one topic of ${partitions} partitions, uncompressed |
| Records | ${records.toLocaleString('en-US')} user events, ${(bytes / records).toFixed(0)} bytes of JSON each |`
}

function variantTable({ variants, records, bytes }: Results): string {
  const first = variants[0]?.pairs.map((pair) => pair.floor) ?? []
  const rows = [
    summaryRow('kafkajs, counting (the floor)', first, '1.0', bytes / records),
    ...variants.map((variant) =>
      summaryRow(
        variant.name,
        variant.pairs.map((pair) => pair.other),
        `**${medianRatio(variant).toFixed(2)}**`,
        bytes / records,
      ),
    ),
  ]
  return `| | × floor | CPU µs per record | records/s | MB/s | peak memory, MiB |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}`
}

function summaryRow(name: string, runs: readonly Measured[], ratio: string, recordBytes: number): string {
  const rate = median(runs.map(({ records, wallS }) => records / wallS))
  const cells = [
    name,
    ratio,
    median(runs.map(microsOf)).toFixed(2),
    Math.round(rate).toLocaleString('en-US'),
    ((rate * recordBytes) / 1e6).toFixed(1),
    mib(Math.max(...runs.map((run) => run.rssBytesMax))),
  ]
  return `| ${cells.join(' | ')} |`
}

function pairTable({ name, pairs }: Variant): string {
  const rows = pairs.map((pair, index) => {
    const cells = [index + 1, microsOf(pair.floor).toFixed(2), microsOf(pair.other).toFixed(2)]
    return `| ${[...cells, ratioOf(pair).toFixed(2)].join(' | ')} |`
  })
  return `${name}:

| pair | floor, CPU µs per record | this, CPU µs per record | ratio |
| ---: | ---: | ---: | ---: |
${rows.join('\n')}`
}

function memoryRow({ flushBytes, creditBytes, whole }: MemoryRun): string {
  const cells = [mib(flushBytes), mib(creditBytes), mib(whole.rssBytesMax), microsOf(whole).toFixed(2)]
  return `| ${cells.join(' | ')} |`
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
