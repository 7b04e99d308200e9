import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** One process of the service under test. */
export interface Worker {
  readonly pid: number
  /** Resolves when a line of its log holds `text`, or when it has ended. */
  saw(text: string): Promise<void>
  readonly lines: readonly string[]
  kill(signal: NodeJS.Signals): void
  /** Exit code, or `null` when a signal ended it. */
  readonly ended: Promise<number | null>
  /** Largest resident memory seen, in MiB. */
  peakMiB(): number
}

const PEAK_EVERY_MS = 100

/** Starts `kafka-delta` with these arguments; `program` is what stands before them. */
export function startWorker(
  program: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Worker {
  const [command = 'node', ...rest] = program
  const child = spawn(command, [...rest, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines: string[] = []
  const waiting: { text: string; resolve: () => void }[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line)
    for (const { text, resolve } of waiting) if (line.includes(text)) resolve()
  })
  let peak = 0
  const sampler = setInterval(() => (peak = Math.max(peak, residentPeakMiB(child.pid))), PEAK_EVERY_MS)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearInterval(sampler)
      waiting.forEach((one) => one.resolve())
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? -1,
    lines,
    ended,
    saw: (text) =>
      lines.some((line) => line.includes(text)) || child.exitCode !== null || child.signalCode !== null
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ text, resolve })),
    kill: (signal) => child.kill(signal),
    peakMiB: () => peak,
  }
}

/** The kernel's own high-water mark; 0 where there is no such file or the process is gone. */
function residentPeakMiB(pid: number | undefined): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match === null ? 0 : Number(match[1]) / 1024
  } catch {
    return 0
  }
}
