import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { ABRUPT_EXIT } from '../../../src/service/process/exit.ts'

const PROGRAM = fileURLToPath(new URL('../../support/shutdown-program.ts', import.meta.url))

/** Runs the program, sends SIGTERM each time the next of `marks` appears in its output, and resolves to its exit code and output. */
async function runProgram(
  args: readonly string[],
  marks: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  let sent = 0
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part
    for (let next = marks[sent]; next !== undefined && text.includes(next); next = marks[++sent])
      child.kill('SIGTERM')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, text }
}

function linesOf(text: string): { level: string; msg: string }[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line) as { level: string; msg: string })
}

test('An uncaught error ends the process with its own exit code, after one log line that names the error', async () => {
  for (const { code, text } of await Promise.all([runProgram(['throw']), runProgram(['reject'])])) {
    assert.equal(code, ABRUPT_EXIT.uncaught)
    const lines = linesOf(text)
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['fatal'],
    )
    assert.match(lines[0]?.msg ?? '', /an unexpected error/)
  }
})

test('The process exits at the deadline, after requests have stopped waiting for a server; a second signal ends it at once', async () => {
  const [late, twice] = await Promise.all([
    runProgram(['wait', '300'], ['ready\n']),
    runProgram(['wait'], ['ready\n', 'Stopping: ']),
  ])
  assert.equal(late.code, ABRUPT_EXIT.undrained)
  assert.match(late.text, /Stopping: [^]*\nstopped waiting\n[^]*Shutdown deadline exceeded/)
  assert.equal(twice.code, ABRUPT_EXIT.forced)
  assert.match(twice.text, /Second signal/)
})
