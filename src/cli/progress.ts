import cliProgress from 'cli-progress'

/** Describes an output for human-readable text: standard output, or a substitute in tests. */
export interface TextOutput {
  write(text: string): unknown
  /** True if the output is a terminal, on which a progress bar can be redrawn. */
  readonly isTTY?: boolean
}

/** Displays the progress of a long task. */
interface ProgressDisplay {
  /** Sets the number of finished items. */
  update(done: number): void
  /** Ends the display, leaving the last count visible. */
  end(): void
}

const PLAIN_STEPS = 4

/** Shows a progress bar on a terminal, elsewhere a plain line at each quarter. */
export function showProgress(output: TextOutput, title: string, total: number): ProgressDisplay {
  return output.isTTY === true && output === process.stdout ? bar(title, total) : lines(output, title, total)
}

function bar(title: string, total: number): ProgressDisplay {
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
    update: (done) => {
      single.update(done)
    },
    end: () => {
      single.stop()
    },
  }
}

function lines(output: TextOutput, title: string, total: number): ProgressDisplay {
  let steps = 0
  return {
    update: (done) => {
      const reached = Math.floor((done / total) * PLAIN_STEPS)
      if (reached <= steps) return
      steps = reached
      output.write(`${title} ${formatCount(done)} of ${formatCount(total)}\n`)
    },
    end: () => undefined,
  }
}

/** Formats a number with thousands separators, such as `200,000`. */
export function formatCount(number: number): string {
  return number.toLocaleString('en-US')
}
