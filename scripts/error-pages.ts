import { format, resolveConfig } from 'prettier'
import { exitCodeOf } from '../src/service/process/exit-codes.ts'
import { ERROR_CATALOGUE, PipelineError, type ErrorCode } from '../src/core/errors.ts'

/** Returns the page `docs/errors.md` with all codes, in the order of the catalogue. */
export async function errorsPage(path: string): Promise<string> {
  const rows = Object.entries(ERROR_CATALOGUE).map(([code, { message, retryable }]) => {
    const exit = exitOf(code as ErrorCode)
    return `| [\`${code}\`](troubleshooting.md#${code.toLowerCase()}) | ${message}. | ${retryable ? 'yes' : ''} | ${exit} |`
  })
  const text = `${INTRODUCTION}
| Code | Message | Worth a retry | Exit code |
| --- | --- | --- | ---: |
${rows.join('\n')}
`
  return await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
}

const PAGE = 'docs/troubleshooting.md'

/** Parts that the section of every code must have, and the labels that they start with. */
const REQUIRED_PARTS: Readonly<Record<string, string>> = {
  'what causes it': 'Usual causes.',
  'how to tell': 'How to tell.',
  'what to do': 'What to do.',
  'what is lost': 'What is lost.',
}

/**
 * Returns the faults of `docs/troubleshooting.md`: every code must have a section of its own with all
 * required parts, and no unknown code may be named.
 */
export function errorFaults(page: string): string[] {
  const sections = page
    .split(/^## /m)
    .slice(1)
    .map((section) => section.replace(/\s+/g, ' '))
    .filter((section) => section.startsWith('`'))
  const described = new Map(
    sections.map((section) => [/^`?([A-Z_]+)`?/.exec(section)?.[1] ?? section, section]),
  )
  const codes = Object.keys(ERROR_CATALOGUE)
  const named = new Set([...described.keys(), ...(page.match(/KD_[A-Z_]+/g) ?? [])])
  return [
    ...codes.filter((code) => !described.has(code)).map((code) => `${PAGE}: ${code} has no section`),
    ...[...named]
      .filter((code) => !codes.includes(code))
      .map((code) => `${PAGE}: ${code} is not a code of src/core/errors.ts`),
    ...[...described].flatMap(([code, section]) => sectionFaults(code, section)),
  ]
}

function sectionFaults(code: string, section: string): string[] {
  if (!(code in ERROR_CATALOGUE)) return []
  const { message, retryable } = ERROR_CATALOGUE[code as ErrorCode]
  const faults = Object.entries(REQUIRED_PARTS)
    .filter(([, label]) => !new RegExp(`\\*\\*${label}\\*\\* \\S`).test(section))
    .map(([part]) => `${PAGE}: ${code} does not say ${part}`)
  if (!section.includes(message)) faults.push(`${PAGE}: ${code} does not repeat its message "${message}"`)
  if (section.includes('Worth a retry') !== retryable)
    faults.push(`${PAGE}: ${code} must ${retryable ? '' : 'not '}say "Worth a retry"`)
  const exit = `Exit code ${exitOf(code as ErrorCode)}.`
  if (!section.includes(exit)) faults.push(`${PAGE}: ${code} does not say "${exit}"`)
  return faults
}

function exitOf(code: ErrorCode): number {
  return exitCodeOf(new PipelineError(code, 'any'))
}

const INTRODUCTION = `# Errors

<!-- Generated from src/core/errors.ts by \`npm run docs\`. -->

Every failure of kafka-delta has a code; [troubleshooting.md](troubleshooting.md) describes the causes of each, how to
diagnose it, what to do, and whether anything is lost. "Worth a retry" means that the cause may pass by itself. The exit code
is that of a process that ends because of the error; a single error may carry a more precise decision on retries.
`
