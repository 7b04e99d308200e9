/**
 * Reports that options contradict each other. `keys` are the options involved, the offending one first. The
 * report is dropped when one of them was already reported as invalid.
 */
export type ReportFault = (keys: readonly string[], fault: string) => void

/** Reports an endpoint that is set and is not an HTTP or HTTPS address. */
export function checkEndpoint(endpoint: string | undefined, key: string, report: ReportFault): void {
  if (endpoint === undefined || /^https?:\/\/[^\s/]+/.test(endpoint)) return
  report([key], `must start with http:// or https:// and a host: value was ${JSON.stringify(endpoint)}`)
}

/** Reports the missing options of a section where only some of `names` are set: all or none must be. */
export function checkAllOrNone(
  section: object,
  prefix: string,
  names: readonly string[],
  report: ReportFault,
): void {
  const missing = names.filter((name) => (section as Record<string, unknown>)[name] === undefined)
  const given = names.filter((name) => !missing.includes(name))
  for (const name of given.length === 0 ? [] : missing) {
    report([`${prefix}.${name}`], `is required because ${prefix}.${given.join(' and ')} is set`)
  }
}

/** Returns a reporter that prepends `prefix` to the key and drops reports about keys that are already invalid. */
export function createFaultReporter(
  invalidKeys: ReadonlySet<string>,
  prefix: string,
  report: (fault: string) => void,
): ReportFault {
  return (keys, fault) => {
    if (!keys.some((key) => invalidKeys.has(key))) report(`${prefix}${keys[0] ?? ''}: ${fault}`)
  }
}
