import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTop, sparkText, type Window } from '../../../src/cli/top/render.ts'
import { DEGRADED, EMPTY, HEALTHY, HOSTILE, MANY, STOPPED } from '../../console/page/support/snapshots.ts'

const WINDOW: Window = { columns: 100, selected: undefined, hasColors: false }

test('The sentence comes first, then the topics, then the chosen topic with the command that replays its dead letters', () => {
  const lines = renderTop(DEGRADED, WINDOW)
  assert.match(lines[0] ?? '', /^Degraded: orders\.v1 waits for s3:\/\/lake/)
  const text = lines.join('\n')
  for (const part of [
    'next   A request without an answer is repeated',
    'guide  KD_STORE_UNAVAILABLE',
    'server s3://lake open since',
    '› orders.v1',
    'held back by writeParquet',
    '1\u202f180 × contract /amount must be number',
    'kafka-delta dlq replay --config service.json --topic orders --reason contract',
    'table, version 48211',
    '-1 min 35 s',
  ])
    assert.ok(text.includes(part), `${part} in\n${text}`)
})

test('What is unknown is a dash', () => {
  const clicks = renderTop(HEALTHY, WINDOW).find((line) => line.includes('clicks.v1')) ?? ''
  assert.match(clicks, /running +– +– +– +0\/s$/)
})

test('A service without topics, and one that has stopped, have their sentence', () => {
  assert.deepEqual(renderTop(EMPTY, WINDOW).slice(0, 1), ['Starting: no topic runs yet'])
  assert.match(renderTop(STOPPED, WINDOW).join('\n'), /failed/)
})

test('No line is wider than the window, and no more lines are drawn than it has', () => {
  for (const columns of [80, 100, 200])
    for (const snapshot of [HEALTHY, DEGRADED, STOPPED, EMPTY, MANY]) {
      const lines = renderTop(snapshot, { ...WINDOW, columns, rows: 24 })
      assert.ok(lines.length <= 24)
      for (const line of lines) assert.ok([...line].length <= columns, line)
    }
})

test('Names and messages cannot control the terminal, and colours are there only when they are wanted', () => {
  const hostile = JSON.parse(
    JSON.stringify(HOSTILE).replaceAll('<img', '\\u001b[2J\\u0007<img'),
  ) as typeof HOSTILE
  const controls = (lines: readonly string[]): boolean => lines.some((line) => /\p{Cc}/u.test(line))
  assert.equal(controls(renderTop(hostile, WINDOW)), false)
  assert.equal(controls(renderTop(HEALTHY, { ...WINDOW, hasColors: true })), true)
})

test('A line of blocks shows the highest of each part, and a blank where nothing is known', () => {
  const series = { everyMs: 1, endMs: 0 }
  assert.equal(sparkText({ ...series, values: [0, 7, null, 3.5] }, 4), '▁█ ▄')
  assert.equal(sparkText({ ...series, values: [] }, 3), '   ')
  assert.equal(sparkText({ ...series, values: [0, 0, 0, 0, 0, 8] }, 3), '▁▁█')
})
