import type { ApiTable, FieldTable, WireField, WireType } from '../../../../src/kafka/wire/schema.ts'

/** Writes the grammar of a request and its response as the docstrings of the tables show it, without the stars. */
export function grammarOf(name: string, { versions, request, response }: ApiTable): readonly string[] {
  const range = `(${versions[0]}-${versions[1]})`
  return [
    ...grammarOfFields(`${name}Request ${range}`, request, 0),
    ...grammarOfFields(`${name}Response ${range}`, response, 0),
  ]
}

function grammarOfFields(head: string, table: FieldTable, depth: number): readonly string[] {
  const names = Object.entries(table).map(([name, { type }]) => (Array.isArray(type) ? `[${name}]` : name))
  const indent = '  '.repeat(depth)
  return [
    ...wrapped(`${indent}${head} =>`, names, `${indent}    `),
    ...Object.entries(table).flatMap(([name, field]) => {
      const parts = partsOf(field.type)
      const notes = notesOf(field)
      if (parts === undefined) {
        const text = typeof field.type === 'string' ? field.type : scalarOf(field.type)
        return [`${indent}  ${name} => ${text}${notes}`]
      }
      return grammarOfFields(`${name}${notes}`, parts, depth + 1)
    }),
  ]
}

function notesOf({ versions, nullable, tag }: WireField): string {
  const notes = [
    ...(versions === '0+' ? [] : [versions]),
    ...(nullable === undefined ? [] : [nullable === versions ? 'nullable' : `nullable ${nullable}`]),
    ...(tag === undefined ? [] : [`tag ${tag}`]),
  ]
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`
}

function scalarOf(type: WireType): string {
  return Array.isArray(type) ? String((type as readonly unknown[])[0]) : JSON.stringify(type)
}

function partsOf(type: WireType): FieldTable | undefined {
  const one: unknown = Array.isArray(type) ? (type as readonly unknown[])[0] : type
  return typeof one === 'object' ? (one as FieldTable) : undefined
}

const WIDTH = 100

function wrapped(start: string, words: readonly string[], indent: string): readonly string[] {
  const lines = [start]
  for (const word of words) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length + 1 > WIDTH) lines.push(`${indent}${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
