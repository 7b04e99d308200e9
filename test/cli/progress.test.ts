import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showProgress } from '../../src/cli/progress.ts'

test('without a terminal, progress is a plain line at each quarter', () => {
  const written: string[] = []
  const progress = showProgress({ write: (text) => written.push(text) }, 'Producing', 1_000)
  for (let done = 0; done <= 1_000; done += 10) progress.update(done)
  progress.end()
  assert.deepEqual(written, [
    'Producing 250 of 1,000\n',
    'Producing 500 of 1,000\n',
    'Producing 750 of 1,000\n',
    'Producing 1,000 of 1,000\n',
  ])
})

test('a jump over several quarters is one line', () => {
  const written: string[] = []
  const progress = showProgress({ write: (text) => written.push(text) }, 'Carrying', 100)
  progress.update(80)
  progress.update(90)
  progress.update(100)
  assert.deepEqual(written, ['Carrying 80 of 100\n', 'Carrying 100 of 100\n'])
})
