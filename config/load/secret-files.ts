import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { optionsOf, type OptionTree } from '../option.ts'
import type { ReportFault } from '../report.ts'
import { valueAtKey } from '../resolve/resolve.ts'
import { isJsonTree, type JsonTree } from '../tree.ts'

/** Replaces a secret that could not be read. Long enough for every check of a secret's length. */
const PLACEHOLDER = '-'.repeat(32)

/** Maximum size of a secret file, in bytes. */
const BYTES_MAX = 64 * 1024

/**
 * Replaces the options that name secret files by the content of these files, in place. A secret is then found
 * under the same key, however it was configured.
 */
export function readSecretFiles(values: object, options: OptionTree, report: ReportFault): void {
  for (const { key, option } of optionsOf(options)) {
    if (option.sensitive !== true) continue
    const section = sectionOf(values, key)
    const name = key.slice(key.lastIndexOf('.') + 1)
    const file = section?.[`${name}File`]
    if (section === undefined || typeof file !== 'string') continue
    Reflect.deleteProperty(section, `${name}File`)
    if (section[name] !== undefined) {
      report([`${key}File`], `is set, but ${key} is set too: remove one of them`)
      continue
    }
    const { secret, fault } = read(resolve(file))
    if (fault !== undefined) report([`${key}File`], fault)
    // The placeholder keeps later checks from reporting the secret as missing.
    section[name] = secret
  }
}

function read(path: string): { readonly secret: string; readonly fault?: string } {
  try {
    const { size } = statSync(path)
    if (size > BYTES_MAX)
      return {
        secret: PLACEHOLDER,
        fault: `must be a file of at most ${BYTES_MAX} bytes: ${path} has ${size}`,
      }
    // A byte order mark, as editors on Windows write it, is no part of the secret.
    const secret = readFileSync(path, 'utf8')
      .replace(/^\ufeff/, '')
      .replace(/\r?\n$/, '')
    return secret.trim() === '' ? { secret: PLACEHOLDER, fault: `must not be empty: ${path}` } : { secret }
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return { secret: PLACEHOLDER, fault: `cannot be read (${why}): ${path}` }
  }
}

function sectionOf(values: object, key: string): JsonTree | undefined {
  const split = key.lastIndexOf('.')
  const section = split < 0 ? values : valueAtKey(values, key.slice(0, split))
  return isJsonTree(section) ? section : undefined
}
