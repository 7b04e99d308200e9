import cliProgress from 'cli-progress'

/** Where text for people goes: standard output, or a test's own. */
export interface Output {
  write(text: string): unknown
  /** Whether a bar that redraws itself can be shown. */
  readonly isTTY?: boolean
}

/** How far a long task is. */
export interface Progress {
  /** Sets how many are done. */
  at(done: number): void
  /** Ends the display with the last count. */
  end(): void
}

const PLAIN_STEPS = 4

/** A progress bar on a terminal, elsewhere a plain line at every quarter. */
export function showProgress(output: Output, title: string, total: number): Progress {
  return output.isTTY === true && output === process.stdout ? bar(title, total) : lines(output, title, total)
}

function bar(title: string, total: number): Progress {
  const single = new cliProgress.SingleBar({
    format: `${title} {bar} {value}/{total}  {percentage} %  {duration_formatted}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    stream: process.stdout,
  })
  single.start(total, 0)
  return {
    at: (done) => {
      single.update(done)
    },
    end: () => {
      single.stop()
    },
  }
}

function lines(output: Output, title: string, total: number): Progress {
  let steps = 0
  return {
    at: (done) => {
      const reached = Math.floor((done / total) * PLAIN_STEPS)
      if (reached <= steps) return
      steps = reached
      output.write(`${title} ${count(done)} of ${count(total)}\n`)
    },
    end: () => undefined,
  }
}

/** A number as people read it: `200,000`. */
export function count(number: number): string {
  return number.toLocaleString('en-US')
}
