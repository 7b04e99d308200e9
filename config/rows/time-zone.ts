import { closest } from 'fastest-levenshtein'

/** What is wrong with the name of a time zone, as the end of a sentence; `undefined` when there is such a zone. */
export function timeZoneFault(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return undefined
  } catch {
    const nearest = closest(name, Intl.supportedValuesOf('timeZone'))
    return `must name a time zone of the IANA database, such as Europe/Berlin; the nearest to ${JSON.stringify(name)} is ${nearest}`
  }
}
