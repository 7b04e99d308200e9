import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'

/** Time after which a run is considered hanging, in milliseconds. */
const RUN_MS_MAX = 15 * 60_000

/**
 * Runs the program `bench/<name>` as a process of its own and returns its result, which it prints as JSON in
 * its last line of output. It runs on the `cores` as `taskset` names them, on all by default.
 */
export async function runProgram<T>(
  name: string,
  task: object,
  flags: readonly string[] = process.execArgv,
  cores?: string,
): Promise<T> {
  const path = join(import.meta.dirname, `${name}${extname(import.meta.filename)}`)
  const command = [...(cores === undefined ? [] : ['taskset', '-c', cores]), process.execPath]
  const child = spawn(command[0] as string, [...command.slice(1), ...flags, path, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: RUN_MS_MAX,
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`bench/${name} ended with ${String(code)}: ${output}`)
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as T
}
