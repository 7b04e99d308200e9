import { readdirSync } from 'node:fs'
import { extname } from 'node:path'
import type { FuzzTarget } from './fuzz-target.ts'

/** Inputs of each target in `npm test`: about three seconds of CPU each. */
export const SHORT_INPUTS: Readonly<Record<string, number>> = {
  json: 50_000,
  contract: 50_000,
  avro: 50_000,
  protobuf: 50_000,
  csv: 50_000,
  transforms: 50_000,
  debezium: 50_000,
  'debezium-avro': 50_000,
}

const EXTENSION = extname(import.meta.filename)

/** Returns the names of the targets, which are modules of this folder. */
export function fuzzTargetNames(): readonly string[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(EXTENSION) && !name.includes('.test.'))
    .map((name) => name.slice(0, -EXTENSION.length))
    .filter((name) => name in SHORT_INPUTS)
    .sort()
}

/**
 * Loads a target.
 * @throws Error for a module without the export `fuzz`
 */
export async function loadFuzzTarget(name: string): Promise<FuzzTarget> {
  const module = (await import(`./${name}${EXTENSION}`)) as { readonly fuzz?: FuzzTarget }
  if (module.fuzz === undefined) throw new Error(`test/fuzz/${name}.ts has no export fuzz`)
  return module.fuzz
}
