// Goal: the fast path gives the rows, dead letters and counts of the slow path. `npm run fuzz` runs more inputs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { test } from 'node:test'
import { parseFuzzFlags, runFuzz } from '../../scripts/fuzz.ts'
import { chanceOf } from '../support/values/chance.ts'
import { fuzzTargetNames, loadFuzzTarget, SHORT_INPUTS } from './targets.ts'

for (const name of fuzzTargetNames())
  test(`${name}: the fast path and the slow path agree`, async (t) => {
    const { seed } = chanceOf(t)
    const fuzz = await loadFuzzTarget(name)
    const { inputs, differences } = await fuzz({ inputs: SHORT_INPUTS[name] ?? 0, seed })
    assert.deepEqual(differences, [], `seed ${seed}`)
    assert.ok(inputs > 0)
  })

test('A run is made of chunks with seeds of their own, and a difference names the chunk that has it', async () => {
  const lines: string[] = []
  const chunks: [number, number][] = []
  const differences = await runFuzz(
    { name: 'test', inputs: 25_000, seed: 7 },
    ({ inputs, seed }) => {
      chunks.push([inputs, seed])
      return Promise.resolve({ inputs, differences: seed === 8 ? ['a', 'b'] : [] })
    },
    (line) => lines.push(line),
  )
  assert.deepEqual(chunks, [
    [10_000, 7],
    [10_000, 8],
    [5_000, 9],
  ])
  assert.equal(differences, 2)
  assert.ok(
    lines.some((line) => line.includes('--inputs 10000 --seed 8')),
    lines.join('\n'),
  )
  assert.equal(lines.filter((line) => line.startsWith('  ')).length, 2)
})

test('At most 20 differences are printed', async () => {
  const lines: string[] = []
  const many = Array.from({ length: 50 }, (_, index) => `difference ${index}`)
  const run = runFuzz(
    { name: 'test', inputs: 2, seed: 1 },
    () => Promise.resolve({ inputs: 2, differences: many }),
    (line) => lines.push(line),
  )
  assert.equal(await run, 50)
  assert.equal(lines.filter((line) => line.startsWith('  ')).length, 20)
})

test('Flags are checked', () => {
  const flags = parseFuzzFlags('--format json --inputs 10 --seed 3 --jobs 2'.split(' '))
  assert.deepEqual(flags, { formats: ['json'], inputs: 10, seed: 3, jobs: 2 })
  for (const wrong of ['--inputs x', '--inputs 0', '--format ../x', '--jobs 65', '--sed 1'])
    assert.throws(() => parseFuzzFlags(wrong.split(' ')), /expected|Unknown/, wrong)
})

test('The script ends with 1 when there is a difference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-fuzz-'))
  try {
    const target = join(folder, 'broken.mjs')
    writeFileSync(
      target,
      'export const fuzz = ({ inputs, seed }) => ({ inputs, differences: [`seed ${seed}`] })',
    )
    const script = join(import.meta.dirname, `../../scripts/fuzz${extname(import.meta.filename)}`)
    const args = [
      ...process.execArgv,
      script,
      '--module',
      target,
      '--inputs',
      '4',
      '--seed',
      '5',
      '--jobs',
      '2',
    ]
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(status, 1, stdout)
    assert.match(stdout, /2 differences/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
