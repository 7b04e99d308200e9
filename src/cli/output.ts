import { once } from 'node:events'
import { messageOf, PipelineError } from '../core/errors.ts'

/** Writes to stdout and waits while its reader is slow. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** A value as indented JSON on stdout; `bigint` as an exact number. */
export async function printJson(value: unknown): Promise<void> {
  await print(`${jsonOf(value)}\n`)
}

/** JSON text with `bigint` as an exact number, which `JSON.stringify` refuses to write. */
export function jsonOf(value: unknown, indent = 2): string {
  const mark = '\u0000bigint:'
  const text = JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === 'bigint' ? `${mark}${each}` : each),
    indent,
  )
  return text.replace(/"\\u0000bigint:(-?\d+)"/g, '$1')
}

/** Rows under a heading, columns as wide as their widest cell; numbers stand to the right. */
export function tableOf(
  heading: readonly string[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const cells = [heading, ...rows].map((row) => row.map(String))
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const numeric = heading.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] !== 'string'),
  )
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** An error as one block for stderr: code and message; with `debug` its stack and causes too. */
export function errorBlock(thrown: unknown, debug: boolean): string {
  const code = thrown instanceof PipelineError ? `${thrown.code} ` : ''
  const lines = [`error: ${code}${messageOf(thrown)}`]
  let cause = thrown instanceof Error ? thrown.cause : undefined
  for (let depth = 0; cause !== undefined && depth < CAUSES_MAX; depth++) {
    const text = messageOf(cause)
    if (!lines.some((line) => line.includes(text))) lines.push(`  because: ${text}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  if (debug && thrown instanceof Error && thrown.stack !== undefined) lines.push(thrown.stack)
  return `${lines.join('\n')}\n`
}

const CAUSES_MAX = 5
