import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { startSpark } from '../../support/servers/spark.ts'
import { SPARK_VARIABLE } from '../../support/servers/variables.ts'

/** Spark SQL as tests use it: one connection with settings of its own, one statement at a time. */
export interface Spark {
  /** Runs a statement; its rows, each a JSON text with nulls, times in UTC and six fraction digits. Rejects with Spark's message. */
  sql(text: string): Promise<readonly string[]>
  /** The same, parsed; for what holds no long numbers. */
  rows(text: string): Promise<readonly Record<string, unknown>[]>
  /** The same as `sql`, with nothing that Spark remembers of any table: from checkpoint and log alone. */
  fresh(text: string): Promise<readonly string[]>
}

interface Answer {
  readonly rows?: readonly string[]
  readonly error?: string
}

let port: Promise<number> | undefined

/** A session in the Spark that all test files of a run share; a file that runs alone starts its own, stopped after it. */
export async function sparkForTests(): Promise<Spark> {
  port ??= sharedPort()
  const socket = connect({ host: '127.0.0.1', port: await port })
  await once(socket, 'connect')
  // An idle connection keeps no test file alive.
  socket.unref()
  return sessionOver(socket)
}

/** A table as SQL names it. */
export function tableAt(path: string): string {
  return `delta.\`${path}\``
}

function sessionOver(socket: Socket): Spark {
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  createInterface({ input: socket }).on('line', (line) => {
    waiting.shift()?.resolve(JSON.parse(line) as Answer)
  })
  const lost = (error?: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error ?? new Error('Spark closed the connection'))
  }
  socket.on('error', lost).on('close', () => lost())
  const ask = async (request: object, text: string): Promise<readonly string[]> => {
    socket.ref()
    const answer = await new Promise<Answer>((resolve, reject) => {
      waiting.push({ resolve, reject })
      socket.write(`${JSON.stringify(request)}\n`)
    })
    if (waiting.length === 0) socket.unref()
    if (answer.error !== undefined) throw new Error(`${text}: ${answer.error}`)
    return answer.rows ?? []
  }
  return {
    sql: (text) => ask({ sql: text }, text),
    fresh: (text) => ask({ sql: text, fresh: true }, text),
    rows: async (text) =>
      (await ask({ sql: text }, text)).map((row) => JSON.parse(row) as Record<string, unknown>),
  }
}

async function sharedPort(): Promise<number> {
  const given = process.env[SPARK_VARIABLE]
  if (given !== undefined && given !== '') return Number(given)
  const server = await startSpark()
  process.once('exit', () => {
    process.kill(server.pid, 'SIGKILL')
    rmSync(dirname(server.logPath), { recursive: true, force: true, maxRetries: 5 })
  })
  return server.port
}
