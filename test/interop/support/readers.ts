import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hasPython, pythonWithReaders } from '../../e2e/support/python.ts'

/** Readers of Delta tables that are neither ours nor Spark. */
export const READERS = ['delta-rs', 'duckdb'] as const

/** One of them. */
export type ReaderName = (typeof READERS)[number]

/** Reads whole tables; rows are JSON texts in the form of `table cat`. */
export interface Readers {
  /** Rejects with the reader's message. */
  rows(reader: ReaderName, uri: string): Promise<readonly string[]>
}

interface Answer {
  readonly rows?: readonly string[]
  readonly error?: string
}

let shared: Promise<Readers | undefined> | undefined

/** One Python that answers until this process ends; `undefined` where there is none, as Python is no prerequisite. */
export function readersForTests(env: NodeJS.ProcessEnv = {}): Promise<Readers | undefined> {
  shared ??= startReaders(env)
  return shared
}

async function startReaders(env: NodeJS.ProcessEnv): Promise<Readers | undefined> {
  if (!(await hasPython())) return undefined
  const python = await pythonWithReaders()
  const child = spawn(python, [join(import.meta.dirname, 'read_tables.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift()?.resolve(JSON.parse(line) as Answer)
  })
  child.on('close', (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Python ended with ${String(code)}`))
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const hold = (held: boolean): void => {
    for (const part of [child, child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[])
      if (held) part.ref()
      else part.unref()
  }
  // An idle Python keeps no test file alive.
  hold(false)
  return {
    rows: async (reader, uri) => {
      hold(true)
      const answer = await new Promise<Answer>((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ reader, uri })}\n`)
      })
      if (waiting.length === 0) hold(false)
      if (answer.error !== undefined) throw new Error(`${reader}: ${answer.error}`)
      return answer.rows ?? []
    },
  }
}
