import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { EXPRESSION_FUNCTIONS } from '../../config/transforms/expression-functions.ts'
import { loadConfig } from '../../config/load/load.ts'
import { toJsonText } from '../../src/core/json-text.ts'
import { parseExact } from '../../src/formats/json/exact.ts'
import { openTransforms } from '../../src/service/table/transforms.ts'
import { compileTransforms } from '../../src/transforms/compile.ts'
import { FILTERED, RejectedMessage } from '../../src/transforms/transformation.ts'
import { rawOf } from '../support/flow/batches.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/transforms.md'), 'utf8')
const LINES = [...PAGE.matchAll(/^```jmespath\n(.*?)^```/gms)].flatMap((block) =>
  (block[1] ?? '').trim().split('\n'),
)

const folder = mkdtempSync(join(tmpdir(), 'kafka-delta-docs-'))
after(() => rmSync(folder, { recursive: true }))

const record = {
  ...rawOf(['{}'], { topic: 'orders', partition: 3, first: 42n, keys: ['k'] }),
  headers: [{ source: Buffer.from('web') }],
}

/** Returns the result of an expression for a message. */
function resultOf(expr: string, message: object): unknown {
  const row = compileTransforms({
    transforms: { result: expr },
    lookups: new Map([['countries', new Map([['DE', { name: 'Germany' }]])]]),
    hashKeys: new Map([['pii', createSecretKey(Buffer.from('a secret'))]]),
  }).apply({ result: 'before', ...message }, record, 0)
  return row instanceof RejectedMessage ? row.message : (row as { result: unknown }).result
}

test('Every example in the transforms document gives the documented result', () => {
  assert.ok(LINES.length > 30, 'examples are found')
  for (const line of LINES) {
    const [, expr = '', message = '', verb, expected = ''] =
      /^(.*) on (\{.*\}) (gives|fails with) (.*)$/.exec(line) ?? []
    assert.ok(verb !== undefined, `no example: ${line}`)
    const result = resultOf(expr, parseExact(message) as object)
    if (verb === 'gives') assert.equal(toJsonText(result), toJsonText(parseExact(expected)), line)
    else assert.equal(result, `result (${expr}): ${String(JSON.parse(expected))}`, line)
  }
})

test('Every function has an example', () => {
  const lacking = Object.keys(EXPRESSION_FUNCTIONS).filter(
    (name) => !LINES.some((line) => line.includes(`${name}(`)),
  )
  assert.deepEqual(lacking, [])
})

test('The documented configuration can be loaded and compiled', async () => {
  const [, json = ''] = /^```json\n(.*?)^```/ms.exec(PAGE) ?? []
  writeFileSync(join(folder, 'web-request.schema.json'), '{"type":"object"}')
  writeFileSync(join(folder, 'countries.csv'), 'code,name\nDE,Germany\n')
  writeFileSync(join(folder, 'config.json'), json)
  const topic = loadConfig({ files: [join(folder, 'config.json')] }).topics['web_requests']
  assert.ok(topic !== undefined, 'the topic is there')
  const transformation = await openTransforms(topic, undefined, {
    prefix: 'topics.t.',
    env: { PII_KEY: 'x' },
  })
  assert.equal(transformation?.apply({ method: 'OPTIONS', status: 200 }, record, 0), FILTERED)
  await assert.rejects(
    openTransforms(topic, undefined, { prefix: 'topics.t.', env: {} }),
    /topics\.t\.hashKeys\.pii: the environment variable PII_KEY is not set/,
  )
})
