import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Measured } from './measured.ts'
import { median, microsOf, ratioOf, type Pair } from './programs.ts'

/** Everything that was measured in one run. */
export interface Results {
  readonly records: number
  /** Bytes of all record values. */
  readonly bytes: number
  readonly partitions: number
  readonly variants: readonly Variant[]
  readonly memory: readonly MemoryRun[]
  readonly startUp: { readonly floor: Measured; readonly whole: Measured }
  readonly loadAverage: number
}

/** One way of configuring the pipeline, measured in pairs with the floor. */
export interface Variant {
  readonly name: string
  readonly pairs: readonly Pair[]
}

/** One run with a flush size of its own. */
export interface MemoryRun {
  readonly flushBytes: number
  readonly creditBytes: number
  readonly whole: Measured
}

/** The multiple of the floor that the pipeline must not exceed. */
export const RATIO_MAX = 4

/** The median ratio of a variant. */
export function medianRatio({ pairs }: Variant): number {
  return median(pairs.map(ratioOf))
}

/** The page `docs/benchmarks.md`. */
export function benchmarksPage(results: Results): string {
  return `# Benchmarks

<!-- Written by \`npm run bench\`. -->

What a record costs, measured against the least that any program on kafkajs can need: a consumer that only counts what it
is given (the floor). Machines and neighbours change every absolute figure, so the claim is a ratio: floor and pipeline run
one after the other, each as a process of its own, and the median over the pairs is taken.

${machineOf(results)}

## CPU for a record

${variantTable(results)}

The pipeline reads the topic from its start up to the end into a new local table: JSON decoded and checked against the
contract (every record meets it), Parquet with zstd, statistics of every column, commits and checkpoints. CPU is user and
system time of the whole process, threads included. MB are 10⁶ bytes of record values.

## Pairs

${results.variants.map(pairTable).join('\n\n')}

## Start-up

Starting Node and loading all modules is part of every figure above. By itself it takes
${results.startUp.floor.cpuS.toFixed(2)} s of CPU and ${mib(results.startUp.floor.rssBytesMax)} MiB for the floor,
${results.startUp.whole.cpuS.toFixed(2)} s and ${mib(results.startUp.whole.rssBytesMax)} MiB for the pipeline.

## Memory

Peak resident memory of the process by \`flush.bytes\`, with \`creditBytes\` left at its default of twice as much and
\`flush.count\` out of the way.

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
        variant.pairs.map((pair) => pair.whole),
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
    const cells = [index + 1, microsOf(pair.floor).toFixed(2), microsOf(pair.whole).toFixed(2)]
    return `| ${[...cells, ratioOf(pair).toFixed(2)].join(' | ')} |`
  })
  return `${name}:

| pair | floor, CPU µs per record | pipeline, CPU µs per record | ratio |
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
