/** Called with the keys that a contradiction is about and what is wrong; ignored when one of them is at fault already. */
export type Report = (keys: readonly string[], fault: string) => void

/** An address of HTTP where there is one. */
export function checkEndpoint(endpoint: string | undefined, key: string, report: Report): void {
  if (endpoint === undefined || /^https?:\/\/[^\s/]+/.test(endpoint)) return
  report([key], `must start with http:// or https:// and a host: value was ${JSON.stringify(endpoint)}`)
}

/** Options of a section of which all or none are given. */
export function checkTogether(
  section: object,
  prefix: string,
  names: readonly string[],
  report: Report,
): void {
  const missing = names.filter((name) => (section as Record<string, unknown>)[name] === undefined)
  const given = names.filter((name) => !missing.includes(name))
  for (const name of given.length === 0 ? [] : missing) {
    report([`${prefix}.${name}`], `missing, while ${prefix}.${given.join(' and ')} is given`)
  }
}

/** Reports with keys in front of which `prefix` belongs, unless one of them is at fault already. */
export function reportOnce(
  faulty: ReadonlySet<string>,
  prefix: string,
  report: (fault: string) => void,
): Report {
  return (keys, fault) => {
    if (!keys.some((key) => faulty.has(key))) report(`${prefix}${keys[0] ?? ''}: ${fault}`)
  }
}
