// `npm run bench:rows` measures the CPU of row operators per row of user events: alone and three in a row.
import { from, lastValueFrom, map, type Observable, type OperatorFunction } from 'rxjs'
import { decode } from '../../operators/decode.ts'
import { filterRows } from '../../operators/rows/filter-rows.ts'
import { mapRows } from '../../operators/rows/map-rows.ts'
import { tapRows } from '../../operators/rows/tap-rows.ts'
import { validate } from '../../operators/validate.ts'
import type { Rows } from '../../src/arrow/rows.ts'
import { findPackageFile } from '../../src/cli/package-file.ts'
import { readContract } from '../../src/contract/file.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Raw } from '../../src/core/raw.ts'
import { jsonFormat } from '../../src/formats/json/format.ts'
import { userEventBatches } from '../user-event-batches.ts'

type Chain = OperatorFunction<Batch<Rows>, Batch<Rows>>

const RECORDS = 50_000
const ROUNDS = 9

let looked = 0
const changed = (): Chain => mapRows((row) => ({ ...row, country: 'DE' }))
const kept = (): Chain => filterRows((row) => row['amount'] !== null)
const seen = (): Chain => tapRows((row) => void (looked += row['user_id'] === 1 ? 1 : 0))
const CHAINS: Readonly<Record<string, Chain>> = {
  mapRows: changed(),
  'mapRows three times': (rows) => rows.pipe(changed(), changed(), changed()),
  filterRows: kept(),
  tapRows: seen(),
  'filterRows, mapRows, tapRows': (rows) => rows.pipe(kept(), changed(), seen()),
}

const contract = await readContract(findPackageFile('schemas/user-events.schema.json'))
const { schema, plain } = contract
const batches = userEventBatches(RECORDS)
const toRows: OperatorFunction<Batch<Raw>, Batch<Rows>> = (source) =>
  source.pipe(decode(jsonFormat({ schema, plain })), validate(contract))
const rows: Batch<Rows>[] = []
from(batches)
  .pipe(toRows)
  .subscribe((batch) => rows.push(batch))
/** Reads the columns, as the operators do that follow. */
const readColumns: Chain = map((batch) => ({ ...batch, payload: { ...batch.payload } }))

const costs = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++) {
  await note('bytes to rows', from(batches).pipe(toRows, readColumns))
  for (const [name, chain] of Object.entries(CHAINS)) await note(name, from(rows).pipe(chain, readColumns))
}
for (const [name, micros] of costs) console.log(`${name.padEnd(30)} ${micros.toFixed(2)} µs per row`)
const base = costs.get('bytes to rows') ?? NaN
const one = costs.get('mapRows') ?? NaN
const three = costs.get('mapRows three times') ?? NaN
console.log(`three times mapRows cost ${(three / one).toFixed(2)} × one by themselves`)
console.log(
  `three times mapRows cost ${((base + three) / (base + one)).toFixed(2)} × one from bytes to columns`,
)

/** Measures the CPU per row; of all rounds the least counts, which other load of the machine disturbs least. */
async function note(name: string, run: Observable<Batch<Rows>>): Promise<void> {
  const before = process.cpuUsage()
  await lastValueFrom(run)
  const { user, system } = process.cpuUsage(before)
  costs.set(name, Math.min(costs.get(name) ?? Infinity, (user + system) / RECORDS))
}
