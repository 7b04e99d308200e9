import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { optionsOf, type OptionTree } from '../option.ts'
import type { Report } from '../report.ts'
import { at } from './resolve.ts'
import { isTree, type Tree } from '../tree.ts'

/** Stands for a secret that could not be read, as long as any has to be. */
const STAND_IN = '-'.repeat(32)

/** Secrets are short; a larger file is not one. */
const BYTES_MAX = 64 * 1024

/**
 * Puts into `values` what the secret files hold, in place; the options that name the files are gone afterwards, so that
 * a secret is known under one key however it came.
 */
export function readSecretFiles(values: Tree, options: OptionTree, report: Report): void {
  for (const { key, option } of optionsOf(options)) {
    if (option.sensitive !== true) continue
    const section = sectionOf(values, key)
    const name = key.slice(key.lastIndexOf('.') + 1)
    const file = section?.[`${name}File`]
    if (section === undefined || typeof file !== 'string') continue
    Reflect.deleteProperty(section, `${name}File`)
    if (section[name] !== undefined) {
      report([`${key}File`], `given, while ${key} is too; one of them is enough`)
      continue
    }
    const { secret, fault } = read(resolve(file))
    if (fault !== undefined) report([`${key}File`], fault)
    // A value in its place keeps the checks that follow from reporting it once more.
    section[name] = secret
  }
}

function read(path: string): { readonly secret: string; readonly fault?: string } {
  try {
    const { size } = statSync(path)
    if (size > BYTES_MAX)
      return { secret: STAND_IN, fault: `must hold at most ${BYTES_MAX} bytes: ${path} has ${size}` }
    const secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return secret.trim() === '' ? { secret: STAND_IN, fault: `must not be empty: ${path}` } : { secret }
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return { secret: STAND_IN, fault: `cannot be read (${why}): ${path}` }
  }
}

function sectionOf(values: Tree, key: string): Tree | undefined {
  const split = key.lastIndexOf('.')
  const section = split < 0 ? values : at(values, key.slice(0, split))
  return isTree(section) ? section : undefined
}
