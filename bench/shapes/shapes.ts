import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../../config/load/load.ts'
import type { Measured, Task } from '../measured.ts'
import { measure, type Pair, type Program } from '../programs.ts'
import { produce } from '../produce.ts'
import { BINARY_SHAPES } from './binary-shapes.ts'
import { JSON_SHAPES } from './json-shapes.ts'
import { startRegistryOf } from './registry.ts'
import type { Shape } from './shape.ts'

/** All shapes, in the order of the page. */
export const SHAPES: readonly Shape[] = [...JSON_SHAPES, ...BINARY_SHAPES]

/** Holds the measurements of one shape, in pairs with the floor on the same topic. */
export interface ShapeResult {
  readonly name: string
  readonly title: string
  readonly records: number
  /** Size of all values, in bytes. */
  readonly bytes: number
  readonly pairs: readonly Pair[]
}

/** Names where and how often a shape is measured. */
export interface ShapeRun {
  readonly brokers: readonly string[]
  /** Folder for tables and files. */
  readonly folder: string
  readonly partitions: number
  readonly records: number
  readonly pairs: number
  /** Folder for CPU profiles of one more run of floor and pipeline, which is not measured; none by default. */
  readonly profiles?: string | undefined
}

/** Fills a topic with the records of a shape and measures floor and pipeline on it. */
export async function measureShape(
  shape: Shape,
  run: ShapeRun,
  onPair: (pair: Pair, number: number) => void = () => undefined,
): Promise<ShapeResult> {
  const { name, title } = shape
  return await withShapeTopic(shape, run, async (measureOne, bytes) => {
    const pairs: Pair[] = []
    for (let number = 1; number <= run.pairs; number++) {
      const floor = await measureOne('floor', `${number}`)
      const pair = { floor, other: await measureOne('whole', `${number}`) }
      pairs.push(pair)
      onPair(pair, number)
    }
    if (run.profiles !== undefined) {
      const profiles = join(run.profiles, name)
      await measureOne('floor', 'profiled', { profiles })
      await measureOne('whole', 'profiled', { profiles })
    }
    return { name, title, records: run.records, bytes, pairs }
  })
}

/** Runs a program on the topic of a shape, with a table and a group of its own. */
export type MeasureOnShape = (
  program: Program,
  id: string,
  how?: { readonly workers?: number; readonly cores?: string; readonly profiles?: string },
) => Promise<Measured>

/** Fills a topic with the records of a shape and calls `use` with the means to measure on it and the size of all values. */
export async function withShapeTopic<T>(
  shape: Shape,
  run: ShapeRun,
  use: (measureOne: MeasureOnShape, bytes: number) => Promise<T>,
): Promise<T> {
  const { name, compression } = shape
  const { brokers, partitions, records } = run
  const topic = `bench-${name}`
  const bytes = await produce(brokers, { topic, partitions, compression }, records, shape.records(records))
  const registry = shape.registry === undefined ? undefined : await startRegistryOf(shape.registry)
  try {
    const options = await topicOptionsOf(shape, join(run.folder, name))
    return await use(
      (program, id, { workers, cores, profiles } = {}) =>
        runShape(program, shape, {
          ...{ ...run, topic, options, id, workers, cores, profiles },
          registryUrl: registry?.url,
        }),
      bytes,
    )
  } finally {
    await registry?.stop()
  }
}

async function runShape(
  program: Program,
  { name, existingTable, ingestTransforms }: Shape,
  run: ShapeRun & {
    readonly topic: string
    readonly options: Task['topicConfig']
    readonly id: string
    readonly workers: number | undefined
    readonly cores: string | undefined
    readonly registryUrl: string | undefined
  },
): Promise<Measured> {
  const { fetchBytesMax: bytesMax, fetchBytesPerPartitionMax: bytesPerPartitionMax } = loadConfig({}).kafka
  const { brokers, topic, records, id, workers, registryUrl } = run
  const uri = join(run.folder, `${name}-table-${id}`)
  const task: Task = {
    ...{ brokers, topic, records, fetch: { bytesMax, bytesPerPartitionMax } },
    groupId: `bench-${name}-${program}-${id}`,
    topicConfig: { ...run.options, table: { ...run.options.table, uri } },
    ...(workers === undefined ? {} : { workers }),
    ...(registryUrl === undefined ? {} : { registryUrl }),
    ...(existingTable === undefined ? {} : { existingTable }),
    ...(ingestTransforms === undefined ? {} : { ingestTransforms }),
  }
  try {
    return await measure(program, task, { cores: run.cores, profiles: run.profiles })
  } finally {
    await rm(uri, { recursive: true, force: true })
  }
}

/** Writes the files of a shape and returns the options of its topic with their paths. */
async function topicOptionsOf(
  { contract, topic = {}, files = {} }: Shape,
  folder: string,
): Promise<Task['topicConfig']> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const paths = JSON.stringify(topic).replaceAll(/"file:([^"]+)"/g, (_, name: string) =>
    JSON.stringify(join(folder, name)),
  )
  const options = JSON.parse(paths) as Task['topicConfig']
  if (contract === undefined) return options
  const path = join(folder, 'contract.json')
  await writeFile(path, JSON.stringify(contract))
  return { ...options, contract: path }
}
