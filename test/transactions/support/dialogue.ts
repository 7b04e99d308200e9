import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Lines of a program's error output that an error quotes. */
const ERROR_LINES_MAX = 20

/** A program that answers commands: one line each, answered by lines of which the last is `done` or `failed` and a reason. */
export interface Dialogue {
  /** Sends a command once earlier ones are answered; resolves to the lines before `done`. */
  ask(command: string): Promise<readonly string[]>
  /** Ends the program. */
  close(): Promise<void>
}

/** Starts a program that answers commands; it ends with this process at the latest. */
export function startDialogue(program: string, args: readonly string[]): Dialogue {
  const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const errors: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line)
    if (errors.length > ERROR_LINES_MAX) errors.shift()
  })
  child.stdin.on('error', () => {
    // The end of the program is reported below.
  })
  let lines: string[] = []
  let answer:
    ((answered: { readonly lines: readonly string[]; readonly failure?: string }) => void) | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'done') answer?.({ lines })
    else if (line.startsWith('failed ')) answer?.({ lines, failure: line })
    else {
      lines.push(line)
      return
    }
    lines = []
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('close', (code, signal) => {
      resolve(`it ended with ${signal ?? String(code)}:\n${errors.join('\n')}`)
    })
  })
  const failed = ended.then((reason) => Promise.reject(new Error(`${program} did not answer: ${reason}`)))
  failed.catch(() => undefined)
  let last: Promise<unknown> = Promise.resolve()
  return {
    ask: (command) => {
      const answered = last.then(async () => {
        const next = new Promise<Parameters<NonNullable<typeof answer>>[0]>((resolve) => (answer = resolve))
        child.stdin.write(`${command}\n`)
        const { lines: found, failure } = await Promise.race([next, failed])
        if (failure !== undefined) throw new Error(`${program}: ${command}: ${failure}`)
        return found
      })
      last = answered.catch(() => undefined)
      return answered
    },
    close: async () => {
      child.stdin.end()
      await ended
    },
  }
}
