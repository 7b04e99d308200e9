import { createSecretKey, type KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Lookup } from './functions.ts'

/** Size limit of a reference file in bytes. */
const LOOKUP_BYTES_MAX = 16_777_216

/**
 * Reads a reference file: a JSON object (key → value, or key → object of columns) when its name ends in `.json`,
 * otherwise CSV with a header whose first column is the key. A key that occurs in several lines is a fault.
 * @throws KD_CONFIG_INVALID naming `key`, the option that names the file
 */
export async function readLookup(path: string, key: string): Promise<Lookup> {
  try {
    const { size } = await stat(path)
    if (size > LOOKUP_BYTES_MAX) throw new Error(`expected at most ${LOOKUP_BYTES_MAX} bytes, got ${size}`)
    const text = (await readFile(path, 'utf8')).replace(/^\ufeff/, '')
    return path.endsWith('.json') ? lookupOfJson(text) : lookupOfCsv(text)
  } catch (error) {
    throw new PipelineError('KD_CONFIG_INVALID', `${key}: ${path}: ${messageOf(error)}`)
  }
}

/**
 * Reads a key of `hmac_sha256`: the bytes of a file without a trailing line break or, after `env:`, the text of an
 * environment variable.
 * @throws KD_CONFIG_INVALID naming `key`, the option that names it
 */
export async function readHashKey(
  location: string,
  key: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<KeyObject> {
  const fault = (detail: string): PipelineError => new PipelineError('KD_CONFIG_INVALID', `${key}: ${detail}`)
  if (location.startsWith('env:')) {
    const variable = location.slice('env:'.length)
    const text = env[variable]
    if (text === undefined || text === '') throw fault(`the environment variable ${variable} is not set`)
    return createSecretKey(text, 'utf8')
  }
  let bytes: Buffer
  try {
    bytes = await readFile(location)
  } catch (error) {
    throw fault(messageOf(error))
  }
  let end = bytes.length
  if (bytes[end - 1] === 10) end--
  if (end < bytes.length && bytes[end - 1] === 13) end--
  if (end === 0) throw fault(`${location} is empty`)
  return createSecretKey(bytes.subarray(0, end))
}

function lookupOfJson(text: string): Lookup {
  const content: unknown = JSON.parse(text)
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new Error('expected a JSON object: key → value, or key → columns')
  return new Map(Object.entries(content))
}

function lookupOfCsv(text: string): Lookup {
  const rows: string[][] = parse(text, { bom: true, skip_empty_lines: true })
  const [header, ...lines] = rows
  if (header === undefined || header.length < 2) throw new Error('expected a header with a key and columns')
  const found = new Map<string, unknown>()
  for (const [key = '', ...fields] of lines) {
    if (found.has(key)) throw new Error(`the key ${JSON.stringify(key)} occurs in more than one line`)
    const columns = fields.map((field, at): [string, unknown] => [
      header[at + 1] ?? '',
      field === '' ? null : field,
    ])
    found.set(key, Object.fromEntries(columns))
  }
  return found
}
