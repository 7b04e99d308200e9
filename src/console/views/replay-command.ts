/** Matches what a shell takes as one word without quotes. */
const PLAIN = /^[\w./:@%+=,-]+$/

/** Names dead letters to replay. */
interface ReplayScope {
  /** Entry of `topics`. */
  readonly name: string
  /** Files of the configuration as the service got them. */
  readonly configFiles: readonly string[]
  /** Id of the group of letters; all letters without it. */
  readonly group?: string | undefined
}

/**
 * Returns the command that shows what a replay of these dead letters would do; with `--yes` it does it. Options that the
 * service got by `--set` are not in it.
 */
export function replayCommandOf({ name, configFiles, group }: ReplayScope): string {
  return [
    ...['kafka-delta', 'dlq', 'replay'],
    ...configFiles.flatMap((file) => ['--config', quoted(file)]),
    ...['--topic-entry', quoted(name)],
    ...(group === undefined ? [] : ['--group', group]),
  ].join(' ')
}

function quoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
