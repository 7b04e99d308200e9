import { closest } from 'fastest-levenshtein'

/** Returns why the name of a time zone is invalid, as the end of a sentence, or `undefined` when the zone exists. */
export function findTimeZoneFault(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return undefined
  } catch {
    const nearest = closest(name, Intl.supportedValuesOf('timeZone'))
    return `must be the name of an IANA time zone, such as Europe/Berlin; the nearest to ${JSON.stringify(name)} is ${nearest}`
  }
}
