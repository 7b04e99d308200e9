/** Names a field of a message: the names from the outermost object to the field. */
export type FieldPath = readonly string[]

/**
 * Parses the path of a field, as `drop`, `rename`, `transforms`, `derive`, `cobDate.from` and `log.mask` have it: names
 * joined by dots, as in JMESPath. A name that contains a dot, begins with a quote or is empty is written in double
 * quotes, as a JSON string: `"user.email".domain`. Other characters need no quotes. Returns the names, or the fault as
 * the end of a sentence that begins with the option.
 */
export function parsePath(text: string): { readonly names: FieldPath } | { readonly fault: string } {
  const names: string[] = []
  for (let at = 0; ; at++) {
    const end = text[at] === '"' ? quotedEnd(text, at) : unquotedEnd(text, at)
    if (end === undefined) return faultIn(text, `must close the quote at character ${at + 1}`)
    const name = text[at] === '"' ? quotedName(text.slice(at, end)) : text.slice(at, end)
    if (name === undefined)
      return faultIn(text, `must have a JSON string in quotes, but ${text.slice(at, end)} is none`)
    if (end === at) return faultIn(text, 'must have a name on both sides of each dot; an empty name is ""')
    if (end < text.length && text[end] !== '.')
      return faultIn(text, `must have a dot after the closing quote at character ${end}`)
    names.push(name)
    if (end === text.length) return { names }
    at = end
  }
}

/** Returns the shortest text of a path that `parsePath` reads as these names. */
export function formatPath(names: FieldPath): string {
  return names
    .map((name) => (name === '' || name.startsWith('"') || name.includes('.') ? JSON.stringify(name) : name))
    .join('.')
}

/**
 * Returns the fault of a path that may also be the whole name of a column with dots in it. Only text that begins with a
 * quote is certainly a path.
 */
export function findSourcePathFault(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  const parsed = parsePath(text)
  return 'fault' in parsed ? parsed.fault : undefined
}

/** Returns true when the second path is the first one or lies inside it. */
export function isWithinPath(outer: FieldPath, inner: FieldPath): boolean {
  return outer.length <= inner.length && outer.every((name, at) => inner[at] === name)
}

function faultIn(text: string, fault: string): { readonly fault: string } {
  return { fault: `${fault}: value was ${JSON.stringify(text)}` }
}

function unquotedEnd(text: string, from: number): number {
  const dot = text.indexOf('.', from)
  return dot === -1 ? text.length : dot
}

/** Returns the position after the closing quote, or `undefined` when there is none. */
function quotedEnd(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return undefined
}

function quotedName(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}
