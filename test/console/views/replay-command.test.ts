import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { replayCommandOf } from '../../../src/console/views/replay-command.ts'

test('The command names the files, the entry and the group, each as one word of a shell', () => {
  const command = replayCommandOf({
    name: 'orders',
    configFiles: ['base.json', 'prod.json'],
    group: '1a2b3c4d',
  })
  assert.equal(
    command,
    'kafka-delta dlq replay --config base.json --config prod.json --topic-entry orders --group 1a2b3c4d',
  )
  const words = ["it's $HOME.json", 'a b;rm *', '']
  for (const word of words) {
    const text = replayCommandOf({ name: word, configFiles: [word] }).replace('kafka-delta', 'printf "%s\\n"')
    const output = execFileSync('sh', ['-c', text], { encoding: 'utf8' })
    assert.equal(output, `dlq\nreplay\n--config\n${word}\n--topic-entry\n${word}\n`)
  }
})
