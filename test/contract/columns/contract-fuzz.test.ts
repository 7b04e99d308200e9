import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnRulesOf } from '../../../src/contract/columns/column-rules.ts'
import { loadContract } from '../../../src/contract/contract.ts'
import { jsonFormat } from '../../../src/formats/json/format.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'
import { seededRandom } from '../../../src/sample/random.ts'
import { fuzzContracts } from '../../fuzz/contract.ts'

const SEED = Number(process.env['TEST_SEED'] ?? 20_261_201)
const INPUTS = 2_000

test('random contracts give the same verdicts on bytes and columns as on objects', async () => {
  const proof = { accepted: 0, byBytes: 0, byColumns: 0, opaque: 0 }
  const { differences, inputs } = await fuzzContracts({ inputs: INPUTS, seed: SEED }, proof)
  assert.deepEqual(differences, [], `TEST_SEED=${SEED} repeats it`)
  assert.ok(inputs >= INPUTS)
  assert.ok(proof.byBytes > 0 && proof.byColumns > 0, JSON.stringify(proof))
})

const ORDINARY = {
  type: 'object',
  required: ['id', 'mail', 'kind'],
  additionalProperties: false,
  properties: {
    id: { type: 'string', format: 'uuid' },
    mail: { type: 'string', format: 'email', maxLength: 100 },
    code: { type: 'string', pattern: '^[A-Z]{2}-\\d{1,6}$' },
    kind: { type: 'string', enum: ['new', 'paid'] },
    size: { type: 'integer', enum: [1, 2, 3, null] },
    price: { type: 'number', multipleOf: 0.25, minimum: 0 },
    host: { type: 'string', format: 'hostname' },
    address: { type: 'string', format: 'ipv4' },
    page: { type: 'string', format: 'uri' },
    at: { type: 'string', format: 'date-time' },
    tags: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
    where: {
      type: 'object',
      properties: { lat: { type: 'number' }, lon: { type: 'number' } },
      dependentRequired: { lat: ['lon'], lon: ['lat'] },
    },
  },
  if: { properties: { kind: { const: 'paid' } } },
  then: { required: ['price'] },
}

function ordinaryRow(random: () => number): object {
  const number = random() % 1_000_000
  const hex = number.toString(16).padStart(12, '0')
  const kind = random() % 2 === 0 ? 'new' : 'paid'
  return {
    id: `123e4567-e89b-12d3-a456-${hex}`,
    mail: `user.${number}@example.com`,
    code: `AB-${number}`,
    kind,
    size: 1 + (number % 3),
    ...(kind === 'paid' || random() % 2 === 0 ? { price: number / 4 } : {}),
    host: `node-${number}.example.org`,
    address: `10.0.${number % 256}.7`,
    page: `https://example.org/items/${number}?from=mail`,
    at: new Date(1_700_000_000_000 + number * 1_000).toISOString(),
    tags: ['a', 'bc'].slice(0, number % 3),
    where: random() % 2 === 0 ? { lat: 1.5, lon: number / 8 } : {},
  }
}

test('at least nine of ten valid records of an ordinary contract are proven on bytes and on columns', () => {
  const random = seededRandom(SEED)
  const contract = loadContract(ORDINARY, { source: 'test' })
  assert.ok(contract.plain !== undefined)
  const rows = Array.from({ length: 1_000 }, () => ordinaryRow(random))
  for (const row of rows) assert.equal(contract.check(row), undefined)
  const records = rows.map((row, offset) => ({
    key: null,
    value: Buffer.from(JSON.stringify(row)),
    timestamp: '0',
    offset: String(offset),
  }))
  const format = jsonFormat({ schema: contract.schema, plain: contract.plain })
  const { validated } = format.decode(pack('t', 0, records, 0n))
  assert.ok(validated !== undefined)
  assert.ok(validated.records.length >= 900, `${validated.records.length} of 1,000 on bytes`)
  const suspect = new Uint8Array(validated.records.length)
  columnRulesOf(contract.plain, contract.schema, () => 'absent')?.(validated.columns, suspect)
  const proven = suspect.filter((mark) => mark === 0).length
  assert.ok(proven >= 900, `${proven} of 1,000 on columns`)
})
