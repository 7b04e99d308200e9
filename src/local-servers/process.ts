import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import { messageOf, PipelineError } from '../core/errors.ts'

/** Describes how a server program is started. */
export interface ServerCommand {
  /** Name of the server in error messages. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** File to which standard output and error are appended. */
  readonly logPath: string
  /** Matches the log line after which the server accepts requests. */
  readonly ready: RegExp
  /** Maximum duration of the start, in milliseconds. */
  readonly startMsMax: number
  /** Message for the user if `command` is not installed. */
  readonly missing: string
}

/** Controls a running server program. */
export interface ServerProcess {
  readonly pid: number
  /** Match of `ready` in the log. */
  readonly ready: RegExpExecArray
  /** Sends `signal` (after 10 s SIGKILL) and waits until the program has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

const STOP_MS_MAX = 10_000
const POLL_MS = 50
const LOG_LINES_IN_ERROR = 15

/*
 * The program leads its own process group, so that Ctrl+C in a terminal reaches only this process, which then drains and
 * stops it. It would therefore outlive a parent that is killed. The shell leaves a watcher behind that reads from a pipe of
 * this process: when this process ends, by whatever signal, the pipe closes and the watcher kills the program.
 */
const WATCHED = 'exec 3<&0; (cat <&3 >/dev/null; kill -9 $$ 2>/dev/null) & exec 3<&-; exec "$@" </dev/null'

/**
 * Starts a program and waits for its `ready` line. Requires a POSIX shell.
 * @throws KD_SERVER_FAILED with the last log lines if it ends early or is not ready in time;
 * KD_PREREQUISITE_MISSING if it is not installed
 */
export async function startProcess(command: ServerCommand): Promise<ServerProcess> {
  const from = await stat(command.logPath).then(
    (file) => file.size,
    () => 0,
  )
  const log = openSync(command.logPath, 'a')
  const child = spawn('sh', ['-c', WATCHED, command.name, command.command, ...command.args], {
    stdio: ['pipe', log, log],
    detached: true,
    env: { ...process.env, ...command.env },
  })
  closeSync(log)
  const end = watchEnd(child)
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => stopProcess(child, end.promise, signal)
  try {
    const ready = await waitForReadyLine(command, end.reason, from)
    // From now on the program does not keep this process alive; the pipe ends it when this process exits.
    child.unref()
    return { pid: pidOf(child), ready, stop }
  } catch (error) {
    await stop('SIGKILL')
    throw error
  }
}

/**
 * Runs a program until it ends.
 * @throws KD_SERVER_FAILED with its last lines if it fails; KD_PREREQUISITE_MISSING if it is not installed
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string>>
    readonly missing: string
    readonly runMsMax: number
  },
): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    timeout: options.runMsMax,
    killSignal: 'SIGKILL',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-16_384)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new PipelineError('KD_PREREQUISITE_MISSING', options.missing) : error)
    })
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(failed(`\`${command}\` ended with ${signal ?? `exit code ${String(code)}`}`, output))
    })
  })
}

/** Finds `count` ports of the loopback address that are free at the time of the call. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === 'string')
      throw new Error('Broken invariant: a TCP server has a port')
    return address.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Waits until a port of the loopback address accepts connections. @throws KD_SERVER_FAILED after `msMax` milliseconds */
export async function waitUntilConnectable(name: string, port: number, msMax: number): Promise<void> {
  const deadline = Date.now() + msMax
  for (;;) {
    const refused = await new Promise<unknown>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy()
        resolve(undefined)
      })
      socket.once('error', resolve)
    })
    if (refused === undefined) return
    if (Date.now() > deadline)
      throw new PipelineError(
        'KD_SERVER_FAILED',
        `${name} does not accept connections: ${messageOf(refused)}`,
        { port },
      )
    await wait(POLL_MS)
  }
}

interface ProcessEnd {
  readonly promise: Promise<void>
  /** Returns the signal, exit code or error of the end, or `undefined` while the program runs. */
  readonly reason: () => string | undefined
}

function watchEnd(child: ChildProcess): ProcessEnd {
  let reason: string | undefined
  const promise = new Promise<void>((resolve) => {
    const end = (by: string): void => {
      reason = by
      child.stdin?.destroy()
      resolve()
    }
    child.once('error', (error) => {
      end(error.message)
    })
    child.once('exit', (code, signal) => {
      end(signal ?? `exit code ${String(code)}`)
    })
  })
  child.stdin?.on('error', () => {
    // The watcher may end before the pipe is closed; nothing is ever written to it.
  })
  return { promise, reason: () => reason }
}

async function waitForReadyLine(
  command: ServerCommand,
  endReason: () => string | undefined,
  from: number,
): Promise<RegExpExecArray> {
  const deadline = Date.now() + command.startMsMax
  for (;;) {
    const end = endReason()
    const log = (await readFile(command.logPath)).subarray(from).toString()
    const match = command.ready.exec(log)
    if (match !== null && end === undefined) return match
    // 127 is the exit code of the shell for a command that it does not find.
    if (end === 'exit code 127') throw new PipelineError('KD_PREREQUISITE_MISSING', command.missing)
    if (log.includes('UnsupportedClassVersionError'))
      throw new PipelineError('KD_PREREQUISITE_MISSING', command.missing)
    if (end !== undefined) throw failed(`${command.name} ended during its start with ${end}`, log)
    if (Date.now() > deadline)
      throw failed(`${command.name} was not ready within ${command.startMsMax / 1000} s`, log)
    await wait(POLL_MS)
  }
}

async function stopProcess(child: ChildProcess, end: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.ref()
    child.kill(signal)
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await end
  clearTimeout(timer)
}

function failed(what: string, output: string): PipelineError {
  const lines = output.trimEnd().split('\n').slice(-LOG_LINES_IN_ERROR)
  return new PipelineError('KD_SERVER_FAILED', `${what}; its last lines:\n${lines.join('\n')}`)
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('Broken invariant: a program that is ready has a process id')
  return child.pid
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
