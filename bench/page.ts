import { availableParallelism, cpus, totalmem } from 'node:os'
import type { Measured } from './measured.ts'
import { median, microsOf, ratioOf, type Pair } from './programs.ts'
import type { ShapeResult } from './shapes/shapes.ts'

/** Holds everything that one run measured. */
export interface Results {
  /** Records of each shape. */
  readonly records: number
  readonly partitions: number
  readonly shapes: readonly ShapeResult[]
  /** Reading alone, on the topic of user events, in pairs with the floor; absent when only some shapes were measured. */
  readonly reading?: readonly Pair[]
  readonly memory?: readonly MemoryRun[]
  readonly startUp?: { readonly floor: Measured; readonly whole: Measured }
  readonly loadAverage: number
}

/** Holds one run with its own flush size. */
export interface MemoryRun {
  readonly flushBytes: number
  readonly creditBytes: number
  readonly whole: Measured
}

/** Maximum ratio of the CPU of user events to that of the floor; the run fails above it. */
export const RATIO_MAX = 2.5

/** Returns the median ratio of all pairs. */
export function medianRatio({ pairs }: Pick<ShapeResult, 'pairs'>): number {
  return median(pairs.map(ratioOf))
}

/** Returns the records that were decoded as objects, of the run that has most of them. */
export function slowRowsOf({ pairs }: Pick<ShapeResult, 'pairs'>): number {
  const counts = pairs.map(({ other: { slow = {} } }) =>
    Object.values(slow).reduce<number>((sum, count = 0) => sum + count, 0),
  )
  return Math.max(0, ...counts)
}

/** Returns the page `docs/benchmarks.md`. */
export function benchmarksPage(results: Results): string {
  const { startUp, memory, shapes } = results
  return `# Benchmarks

<!-- Written by \`npm run bench\`. -->

This page shows the CPU cost of a record, by the shape of its topic. It is compared with the floor: a consumer that only counts
the records of the same topic, which is the minimum for any program on kafkajs. Absolute figures depend on the machine and its
load, so the result is a ratio: floor and pipeline run one after the other, each in its own process, and the median over the
pairs is reported.

${machineOf(results)}

## What does a record cost?

![CPU per record by shape, as a multiple of the floor](benchmarks.svg)

${shapeTable(results)}

The pipeline reads the topic from start to end into a new local table, or into an existing one where the shape says so. It decodes
and validates every record, writes Parquet with zstd and statistics of every column, and makes commits and checkpoints. CPU is
user and system time of the whole process, including threads and the start of Node.js. MB are 10⁶ bytes of record values, for
each second of CPU. The longest block is the longest time in which the process answers nothing, such as a heartbeat. Slow rows
are [records decoded as objects](operations.md#metrics): the run fails if there is one. Reading alone ends where the ranges of
all values in the responses are known, with checksums verified and transactions filtered; it only counts, like the floor.

\`npm run bench -- --shape NAME\` measures single shapes.

## Pairs

${shapes.map(pairTable).join('\n\n')}
${startUp === undefined ? '' : startUpSection(startUp)}${memory === undefined ? '' : memorySection(memory)}`
}

function startUpSection({ floor, whole }: NonNullable<Results['startUp']>): string {
  return `
## Start-up

Every figure above includes the start of Node.js and the loading of all modules. These alone take
${floor.cpuS.toFixed(2)} s of CPU and ${mib(floor.rssBytesMax)} MiB for the floor,
${whole.cpuS.toFixed(2)} s and ${mib(whole.rssBytesMax)} MiB for the pipeline.
`
}

function memorySection(memory: readonly MemoryRun[]): string {
  return `
## Memory

Peak resident memory of the process by \`flush.bytes\`, with \`creditBytes\` at its default of twice as much and
\`flush.count\` so large that it has no effect.

| flush.bytes, MiB | creditBytes, MiB | peak memory, MiB | CPU µs per record |
| ---: | ---: | ---: | ---: |
${memory.map(memoryRow).join('\n')}
`
}

function machineOf({ records, partitions, loadAverage }: Results): string {
  return `| | |
| --- | --- |
| Date | ${new Date().toISOString().slice(0, 10)} |
| Machine | ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${mib(totalmem())} MiB |
| Load average at the start | ${loadAverage.toFixed(1)} |
| Node.js | ${process.version} |
| Kafka | one broker on the same machine, topics of ${partitions} partitions, uncompressed unless the shape says so |
| Records | ${records.toLocaleString('en-US')} of each shape |`
}

function shapeTable({ shapes, reading }: Results): string {
  const [first] = shapes
  const rows = shapes.map((shape) => shapeRow(shape))
  if (reading !== undefined && first !== undefined)
    rows.push(
      shapeRow({
        ...first,
        name: 'reading alone',
        title: 'user events, by the own consumer',
        pairs: reading,
      }),
    )
  return `| shape | records | bytes per record | × floor | floor, CPU µs | this, CPU µs | MB/s per core | peak memory, MiB | longest block, ms | slow rows |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}`
}

function shapeRow(shape: ShapeResult): string {
  const { name, title, records, bytes, pairs } = shape
  const runs = pairs.map(({ other }) => other)
  const micros = median(runs.map(microsOf))
  const cells = [
    name,
    title,
    (bytes / records).toFixed(0),
    `**${medianRatio(shape).toFixed(2)}**`,
    median(pairs.map(({ floor }) => microsOf(floor))).toFixed(2),
    micros.toFixed(2),
    (bytes / records / micros).toFixed(1),
    mib(Math.max(...runs.map((run) => run.rssBytesMax))),
    Math.max(...runs.map((run) => run.blockMsMax)).toFixed(0),
    slowRowsOf(shape).toLocaleString('en-US'),
  ]
  return `| ${cells.join(' | ')} |`
}

function pairTable({ name, pairs }: ShapeResult): string {
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
