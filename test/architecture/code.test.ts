import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FILES, PRODUCT } from './files.ts'

test('There is no any, no default export, no TODO and no debugger', () => {
  const banned: readonly (readonly [string, RegExp])[] = [
    [
      'any',
      /(?:[:<,|&(]\s*|\bas\s+)any\b(?!['"`\w-]| (?:of|other|way|number|part|kind|type|place|row|byte))/,
    ],
    ['a default export', /^export default\b/m],
    ['something to do', /\bTODO\b|\bFIXME\b/],
    ['a debugger', /^\s*debugger\b/m],
  ]
  const faults = FILES.flatMap(({ path, text }) => {
    const code = text
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => (comment.includes('TODO') ? comment : ''))
      .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    return banned.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path}: ${what}`)
  })
  assert.deepEqual(
    faults.filter((fault) => !fault.startsWith('test/architecture/code.test.ts')),
    [],
  )
})

test('No test is skipped, left to do, or the only one', () => {
  const pattern = new RegExp(
    `\\b(?:test|it|describe|suite)\\.(?:${['only', 'skip', 'todo'].join('|')})\\b|\\b(?:only|skip|todo): true`,
  )
  assert.deepEqual(
    FILES.filter(({ path, text }) => path.startsWith('test/') && pattern.test(text)).map(({ path }) => path),
    [],
  )
})

/** Files that read the clock of the machine, or its timers, themselves: each says why. */
const MAY_READ_CLOCK: readonly RegExp[] = [
  // It is the clock that is passed to all others.
  /^src\/core\/clock\.ts$/,
  // Programs at a terminal, and the servers that they start.
  /^src\/(?:cli|local-servers)\//,
  // The deadline after which the process ends, whatever its parts do.
  /^src\/service\/process\/shutdown\.ts$/,
  // What runs in a browser.
  /^src\/console\/page\//,
  // Times of an export protocol, beside which nothing is decided.
  /^src\/telemetry\/metrics\/observed-metrics\.ts$/,
]

test('Time and chance come from arguments, so that tests decide them', () => {
  const pattern = /\bDate\.now\(\)|\bnew Date\(\)|\bMath\.random\(\)|\bsetTimeout\(/
  const found = PRODUCT.filter(
    ({ path, text }) => pattern.test(text) && !MAY_READ_CLOCK.some((may) => may.test(path)),
  )
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})
