import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runProgram, startProcess, type ServerCommand } from '../../src/local-servers/process.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-delta-process-'))
})
after(() => rm(folder, { recursive: true, force: true }))

function shell(script: string, name: string): ServerCommand {
  return {
    name,
    command: 'sh',
    args: ['-c', script],
    logPath: join(folder, `${name}.log`),
    ready: /ready (\d+)/,
    startMsMax: 30_000,
    missing: 'nothing is missing',
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('A program is ready at its line, writes its log to the file, and has ended after stop', async () => {
  const server = await startProcess(shell('echo starting; echo ready 42; exec sleep 600', 'well'))
  assert.equal(server.ready[1], '42')
  assert.equal(isAlive(server.pid), true)
  await server.stop()
  assert.equal(isAlive(server.pid), false)
  assert.equal(await readFile(join(folder, 'well.log'), 'utf8'), 'starting\nready 42\n')
})

test('A program that ends before it is ready fails with its last lines', async () => {
  await assert.rejects(startProcess(shell('echo no room on the disk >&2; exit 3', 'early')), {
    code: 'KD_SERVER_FAILED',
    message: /early ended during its start with exit code 3; its last lines:\nno room on the disk/,
  })
})

test('A program that is never ready fails after the maximum start time and is ended', async () => {
  await assert.rejects(startProcess({ ...shell('echo $$; exec sleep 600', 'slow'), startMsMax: 300 }), {
    code: 'KD_SERVER_FAILED',
    message: /slow was not ready within 0.3 s/,
  })
  assert.equal(isAlive(Number(await readFile(join(folder, 'slow.log'), 'utf8'))), false)
})

test('A program that is not installed is reported in one line', async () => {
  const missing = 'this needs a program that nobody has. Install it, or use Docker.'
  const expected = { code: 'KD_PREREQUISITE_MISSING', message: /Install it, or use Docker\.$/ }
  await assert.rejects(
    startProcess({ ...shell('', 'absent'), command: 'kafka-delta-no-such-program', missing }),
    expected,
  )
  await assert.rejects(runProgram('kafka-delta-no-such-program', [], { missing, runMsMax: 1000 }), expected)
})

test('A program ends when the process that started it is killed', async () => {
  const starter = join(folder, 'starter.mts')
  const module = fileURLToPath(new URL('../../src/local-servers/process.ts', import.meta.url))
  await writeFile(
    starter,
    `import { startProcess } from ${JSON.stringify(module)}
     const server = await startProcess(${JSON.stringify({
       ...shell('echo ready 1; exec sleep 600', 'orphan'),
       ready: undefined,
     }).slice(0, -1)}, ready: /ready (1)/})
     console.log(server.pid)
     setInterval(() => {}, 1000)`,
  )
  const parent = spawn(process.execPath, ['--import', 'tsx', starter], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (chunk: Buffer) => {
      resolve(Number(chunk.toString()))
    })
  })
  assert.equal(isAlive(pid), true)
  const closed = new Promise((resolve) => parent.once('exit', resolve))
  parent.kill('SIGKILL')
  await closed
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
})
