// Documents show commands; each names a command that is there, with options that it has and as many words as it takes.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Command } from 'commander'
import { addContract } from '../../src/cli/contract.ts'
import { addDemo } from '../../src/cli/demo/command.ts'
import { addDlq } from '../../src/cli/dlq/dlq.ts'
import { addHealth } from '../../src/cli/health.ts'
import { addIngest } from '../../src/cli/ingest.ts'
import { addLoad } from '../../src/cli/load/load.ts'
import { addRun } from '../../src/cli/run.ts'
import { addTop } from '../../src/cli/top/top.ts'
import { addTable } from '../../src/cli/table/table.ts'
import { addValidate } from '../../src/cli/validate.ts'

const root = join(import.meta.dirname, '../..')
const program = new Command('kafka-delta').version('0')
for (const add of [
  addRun,
  addIngest,
  addValidate,
  addHealth,
  addTop,
  addContract,
  addDemo,
  addLoad,
  addTable,
])
  add(program, () => undefined)
addDlq(program)

for (const page of [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]) {
  if (!page.endsWith('.md')) continue
  const commands = commandsIn(readFileSync(join(root, page), 'utf8'))
  if (commands.length === 0) continue
  test(`${page}: every command of kafka-delta is one, with options that it has`, () => {
    assert.deepEqual(
      commands.flatMap((words) => faultOf(words) ?? []),
      [],
    )
  })
}

test('Every example in the help of a command is one, with options that it has', () => {
  const helps = textsOf(program).map((text) =>
    text.replaceAll(/^ +(kafka-delta .*)$/gm, '\n```sh\n$1\n```\n'),
  )
  const commands = helps.flatMap(commandsInBlocks)
  assert.ok(commands.length > 20, `only ${commands.length} examples`)
  assert.deepEqual(
    commands.flatMap((words) => faultOf(words) ?? []),
    [],
  )
})

/** The help of a command and of those below it, as a user sees it. */
function textsOf(command: Command): readonly string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp()
  return [text, ...command.commands.flatMap(textsOf)]
}

test('A command, an option and a word that are not known are faults', () => {
  const page =
    '```sh\nnpx kafka-delta tabel show x\nkafka-delta run --confg a # --x\nkafka-delta table show a b\n```' +
    '\nTry `kafka-delta table histroy x`, `kafka-delta table history --json` or `kafka-delta table cat`.'
  assert.deepEqual(commandsIn(page).map(faultOf), [
    'kafka-delta has no command tabel',
    'kafka-delta run has no option --confg',
    'kafka-delta table show takes no word b',
    'kafka-delta table has no command histroy',
    'kafka-delta table history needs 1 words, not 0',
    undefined,
  ])
  assert.equal(faultOf(['table', 'cat', 'x', '--limit=5', '-c', 'a.json']), undefined)
})

/** The words behind `kafka-delta` of each command in blocks of shell and in code within a sentence. */
function commandsIn(page: string): string[][] {
  return [...commandsInBlocks(page), ...commandsInSentences(page)]
}

/** A command with dots stands for several. */
function commandsInSentences(page: string): string[][] {
  const text = page.replaceAll(/```[^]*?```/g, '')
  return [...text.matchAll(/`(?:npx )?kafka-delta ([^`]+)`/g)]
    .map(([, words = '']) => words.replaceAll(/\s+/g, ' '))
    .map((words) => (words.match(/'[^']*'|"[^"]*"|<[^>]*>|\S+/g) ?? []).map(String))
    .filter((words) => !words.includes('…'))
}

function commandsInBlocks(page: string): string[][] {
  return [...page.matchAll(/```sh\n([^]*?)```/g)]
    .flatMap(([, block = '']) => block.replaceAll(/\\\n/g, ' ').split('\n'))
    .map((line) => line.replace(/\s#.*/, ''))
    .flatMap((line) => line.split(/&&|[|;>]| & ?|&$/))
    .map((part) => (part.trim().match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map(String))
    .flatMap((words) => {
      const at = words.lastIndexOf('kafka-delta')
      // Images, services and folders have the name too.
      const isProgram =
        at === 0 || words[0] === 'npx' || words[0] === 'docker' || words[0]?.includes('=') === true
      return at >= 0 && isProgram && at < words.length - 1 && words[1] !== 'build'
        ? [words.slice(at + 1)]
        : []
    })
}

/** What is wrong with a command; `undefined` where nothing is. */
function faultOf(words: readonly string[]): string | undefined {
  let command = program
  let at = 0
  for (let word = words[at]; command.commands.length > 0 && word !== undefined; word = words[++at]) {
    if (word.startsWith('-')) break
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) return `${pathOf(command)} has no command ${word}`
    command = next
  }
  const required = command.registeredArguments.filter(({ required: isRequired }) => isRequired).length
  let given = 0
  const options = words.slice(at).filter((word) => word.startsWith('-') && word !== '--help')
  let left = command.registeredArguments.some(({ variadic }) => variadic)
    ? Infinity
    : command.registeredArguments.length
  while (at < words.length) {
    const [flag = '', inline] = (words[at++] ?? '').split(/=(.*)/s)
    if (!flag.startsWith('-')) {
      if (left-- <= 0) return `${pathOf(command)} takes no word ${flag}`
      given++
      continue
    }
    const option = command.options.find(({ long, short }) => flag === long || flag === short)
    if (option === undefined) {
      if (flag === '--help') continue
      return `${pathOf(command)} has no option ${flag}`
    }
    if (inline === undefined && (option.required || option.optional)) at++
    while (option.variadic && at < words.length && words[at]?.startsWith('-') === false) at++
  }
  // A command without anything behind it is only named.
  const isNamed = options.length === 0 && given === 0
  return isNamed || given >= required || words.includes('--help')
    ? undefined
    : `${pathOf(command)} needs ${required} words, not ${given}`
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
