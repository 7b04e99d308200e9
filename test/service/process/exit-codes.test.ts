import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { EXIT, exitCodeOf } from '../../../src/service/process/exit-codes.ts'
import { PipelineError } from '../../../src/core/errors.ts'

test('The exit code says who can act: the user, an administrator, nobody but time, or a developer', () => {
  const cases: readonly (readonly [unknown, number])[] = [
    [new PipelineError('KD_CONFIG_INVALID', 'expected something else'), EXIT.usage],
    [new PipelineError('KD_PREREQUISITE_MISSING', 'expected a program'), EXIT.prerequisite],
    [new PipelineError('KD_STORE_UNAVAILABLE', 'expected an answer'), EXIT.unavailable],
    [new PipelineError('KD_STORE_FAILED', 'expected status 200'), EXIT.failed],
  ]
  for (const [error, expected] of cases) assert.equal(exitCodeOf(error), expected, String(error))
})

test('An error that is not in the catalogue is a bug, unless the operating system reported it', () => {
  for (const bug of [new TypeError('x is not a function'), new Error('Broken invariant: no x'), 'text', null])
    assert.equal(exitCodeOf(bug), EXIT.uncaught, String(bug))
  let thrown: unknown
  try {
    mkdirSync('/proc/none/none')
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof Error)
  assert.equal(exitCodeOf(thrown), EXIT.failed)
})
