import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Closers, closeOnFailure, withClosers } from '../../../src/core/lifecycle/closers.ts'

const fail = (message: string) => (): Promise<never> => Promise.reject(new Error(message))

function closersInto(order: string[]): Closers {
  return new Closers((error) => order.push(`further: ${(error as Error).message}`))
}

test('Everything is closed in reverse order, once', async () => {
  const order: string[] = []
  const closers = closersInto(order)
  for (const name of ['table', 'credit', 'source']) closers.add(() => order.push(name))
  await Promise.all([closers.close(), closers.close()])
  assert.deepEqual(order, ['source', 'credit', 'table'])
})

test('Every closer runs although others fail; the first error is thrown and the others are reported', async () => {
  const order: string[] = []
  const closers = closersInto(order)
  closers.add(() => order.push('table'))
  closers.add(() => {
    throw new Error('credit')
  })
  closers.add(fail('source'))
  closers.addBeside(fail('letters'))
  closers.addBeside(() => order.push('maintenance'))
  await assert.rejects(closers.close(), { message: 'source' })
  assert.deepEqual(order, ['maintenance', 'table', 'further: letters', 'further: credit'])
})

test('Closers of one group run at the same time, and the next group waits for all of them', async () => {
  const order: string[] = []
  const closers = closersInto(order)
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  closers.addBeside(() => order.push('table'))
  closers.add(() => released.then(() => order.push('source')))
  closers.addBeside(() => order.push('letters'))
  const closing = closers.close()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(order, ['letters'])
  release()
  await closing
  assert.deepEqual(order, ['letters', 'source', 'table'])
})

test('What was opened is closed when a later step cannot be opened, and that error is thrown', async () => {
  const order: string[] = []
  const closers = closersInto(order)
  closers.add(fail('table'))
  await assert.rejects(closeOnFailure(closers, fail('source')), { message: 'source' })
  assert.deepEqual(order, ['further: table'])
})

test('The error of the work is thrown rather than those of its closers', async () => {
  const further: string[] = []
  const note = (error: unknown): void => void further.push((error as Error).message)
  const work = (closers: Closers): Promise<never> => {
    closers.add(fail('close'))
    return fail('work')()
  }
  await assert.rejects(withClosers(note, work), { message: 'work' })
  assert.deepEqual(further, ['close'])
  const fine = withClosers(note, (closers) => {
    closers.add(fail('close'))
    return Promise.resolve()
  })
  await assert.rejects(fine, { message: 'close' })
})
