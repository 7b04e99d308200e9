import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { ABRUPT_EXIT } from '../../../src/service/process/exit.ts'

const PROGRAM = fileURLToPath(new URL('../../support/leaving-program.ts', import.meta.url))

/** Runs the program, sends a signal whenever one more of `marks` is told, and resolves to how it ended and its lines. */
async function leave(
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

test('What nobody caught ends the process with a code of its own, after one line that says what it was', async () => {
  for (const { code, text } of await Promise.all([leave(['throw']), leave(['reject'])])) {
    assert.equal(code, ABRUPT_EXIT.uncaught)
    const lines = linesOf(text)
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['fatal'],
    )
    assert.match(lines[0]?.msg ?? '', /nobody expects this/)
  }
})

test('Past the deadline the process leaves, and who waits for a server is told before; a second signal ends it at once', async () => {
  const [late, twice] = await Promise.all([
    leave(['wait', '300'], ['ready\n']),
    leave(['wait'], ['ready\n', 'Stopping: ']),
  ])
  assert.equal(late.code, ABRUPT_EXIT.undrained)
  assert.match(late.text, /Stopping: [^]*\nimpatient\n[^]*Not drained within the deadline/)
  assert.equal(twice.code, ABRUPT_EXIT.forced)
  assert.match(twice.text, /Second signal/)
})
