import { format, resolveConfig } from 'prettier'
import { exitCodeOf } from '../src/cli/exit-codes.ts'
import { CATALOGUE, PipelineError, type ErrorCode } from '../src/core/errors.ts'

/** `docs/errors.md`: the table of all codes, in the order of the catalogue. */
export async function errorsPage(path: string): Promise<string> {
  const rows = Object.entries(CATALOGUE).map(([code, { message, retryable }]) => {
    const exit = exitOf(code as ErrorCode)
    return `| [\`${code}\`](troubleshooting.md#${code.toLowerCase()}) | ${message}. | ${retryable ? 'yes' : ''} | ${exit} |`
  })
  const text = `${INTRODUCTION}
| Code | What it says | Worth a retry | Exit code |
| --- | --- | --- | ---: |
${rows.join('\n')}
`
  return await format(text, { ...(await resolveConfig(path)), parser: 'markdown' })
}

const PAGE = 'docs/troubleshooting.md'

/** What every section tells, and how it begins to. */
const TOLD: Readonly<Record<string, string>> = {
  'what causes it': 'Usual causes.',
  'how to tell': 'How to tell.',
  'what to do': 'What to do.',
  'what is lost': 'What is lost.',
}

/**
 * What `docs/troubleshooting.md` lacks or has too much: every code has a heading of its own, and below it everything that is
 * told of codes; no other code is named.
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
  const codes = Object.keys(CATALOGUE)
  const named = new Set([...described.keys(), ...(page.match(/KD_[A-Z_]+/g) ?? [])])
  return [
    ...codes.filter((code) => !described.has(code)).map((code) => `${PAGE}: ${code} has no section`),
    ...[...named]
      .filter((code) => !codes.includes(code))
      .map((code) => `${PAGE}: ${code} is no code of src/core/errors.ts`),
    ...[...described].flatMap(([code, section]) => sectionFaults(code, section)),
  ]
}

function sectionFaults(code: string, section: string): string[] {
  if (!(code in CATALOGUE)) return []
  const { message, retryable } = CATALOGUE[code as ErrorCode]
  const faults = Object.entries(TOLD)
    .filter(([, label]) => !new RegExp(`\\*\\*${label}\\*\\* \\S`).test(section))
    .map(([what]) => `${PAGE}: ${code} does not say ${what}`)
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

<!-- Made from src/core/errors.ts by \`npm run docs\`. -->

Every way in which kafka-delta can fail has a code; [troubleshooting.md](troubleshooting.md) has the causes of each, how to tell,
what to do, and whether anything is lost. "Worth a retry" means that the cause may pass by itself. The exit code is that of
a process which ends because of the error; a single error may know better whether another try helps.
`
