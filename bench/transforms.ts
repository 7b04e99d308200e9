// `npm run bench:transforms` measures the CPU per record of transforms, compared with the same records
// without any.
import { from, lastValueFrom, type OperatorFunction } from 'rxjs'
import { decode } from '../operators/decode.ts'
import { transform } from '../operators/transform.ts'
import { validate } from '../operators/validate.ts'
import type { Rows } from '../src/arrow/rows.ts'
import { findPackageFile } from '../src/cli/package-file.ts'
import type { Contract } from '../src/contract/contract.ts'
import { readContract } from '../src/contract/file.ts'
import type { Batch } from '../src/core/batch.ts'
import type { Raw } from '../src/core/raw.ts'
import { jsonFormat } from '../src/formats/json/format.ts'
import { contractAfterTransforms } from '../src/service/table/transforms.ts'
import { compileTransforms, type TransformOptions } from '../src/transforms/compile.ts'
import { median } from './programs.ts'
import { userEventBatches } from './user-event-batches.ts'

const RECORDS = 50_000
const ROUNDS = 3

const VARIANTS: Readonly<Record<string, TransformOptions | undefined>> = {
  'no transforms, in columns': undefined,
  'filter alone': { filter: "event_type != 'none'" },
  'three sources of the record': {
    transforms: { 'kafka.offset': 'kafka.offset', 'kafka.partition': 'kafka.partition', key: 'kafka.key' },
  },
  'substr, concat, a rule': {
    rules: [{ name: 'named', when: '!event_type', error: 'no type' }],
    transforms: { day: 'substr(timestamp, `0`, `10`)', who: "concat(user_id, '@', event_type)" },
  },
  'sha256 of one field': { transforms: { event_id: 'sha256(event_id)' } },
  'a pattern on one field': { transforms: { hour: "regex_extract(timestamp, 'T(\\d\\d)', `1`)" } },
}

const contract = await readContract(findPackageFile('schemas/user-events.schema.json'))
const batches = userEventBatches(RECORDS)
const costs = new Map(Object.keys(VARIANTS).map((name) => [name, [] as number[]]))
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, options] of Object.entries(VARIANTS)) {
    const micros = await measured(chainOf(contract, options))
    // The first round warms up.
    if (round > 0) costs.get(name)?.push(micros)
  }
}
const [floor = []] = costs.values()
for (const [name, micros] of costs) {
  const ratio = median(micros) / median(floor)
  console.log(`${name.padEnd(30)} ${median(micros).toFixed(2)} µs per record, ${ratio.toFixed(1)} ×`)
}

function chainOf(
  of: Contract,
  options: TransformOptions | undefined,
): OperatorFunction<Batch<Raw>, Batch<Rows>> {
  const { schema, plain } = of
  if (options === undefined)
    return (source) => source.pipe(decode(jsonFormat({ schema, plain })), validate(of))
  const transformation = compileTransforms(options, schema)
  const after = contractAfterTransforms(of, transformation)
  return (source) =>
    source.pipe(
      decode(jsonFormat({ schema, plain: undefined })),
      transform(transformation, { check: (message) => of.check(message), columns: after }),
      validate(after),
    )
}

/** Returns the CPU per record, in microseconds. */
async function measured(chain: OperatorFunction<Batch<Raw>, Batch<Rows>>): Promise<number> {
  const before = process.cpuUsage()
  await lastValueFrom(from(batches).pipe(chain))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / RECORDS
}
