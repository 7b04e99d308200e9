import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { optionsOf } from '../../config/option.ts'
import { SERVICE_OPTIONS, TOPIC_OPTIONS } from '../../config/schema.ts'
import { configurationPage } from '../../scripts/docs.ts'
import { errorFaults, errorsPage } from '../../scripts/error-pages.ts'

const docs = join(import.meta.dirname, '../../docs')
const errors = readFileSync(join(docs, 'troubleshooting.md'), 'utf8')

it('docs/configuration.md is generated from the schema', async () => {
  const path = join(docs, 'configuration.md')
  assert.equal(readFileSync(path, 'utf8'), await configurationPage(path))
})

it('every option is documented with its key and its environment variable', () => {
  const page = readFileSync(join(docs, 'configuration.md'), 'utf8')
  for (const { key, option } of [...optionsOf(SERVICE_OPTIONS), ...optionsOf(TOPIC_OPTIONS)]) {
    assert.ok(page.includes(`| \`${key}\``), key)
    assert.ok(option.doc.endsWith('.'), `${key}: the doc is not a sentence`)
    if (option.env !== undefined) assert.ok(page.includes(`\`${option.env}\``), option.env)
  }
})

it('no two options share an environment variable', () => {
  const names = optionsOf(SERVICE_OPTIONS).flatMap(({ option }) => option.env ?? [])
  assert.equal(new Set(names).size, names.length)
})

it('docs/errors.md is generated from the catalogue', async () => {
  const path = join(docs, 'errors.md')
  assert.equal(readFileSync(path, 'utf8'), await errorsPage(path))
})

it('docs/troubleshooting.md describes every code of the catalogue and names no other', () => {
  assert.deepEqual(errorFaults(errors), [])
})

it('an undescribed code, an unknown one, a wrong exit code and a missing piece of advice are faults', () => {
  const page = errors
    .replace('## `KD_TABLE_MISSING`', '## `KD_TABLE_GONE`')
    .replace('**What to do.** Correct the command;', 'Correct the command;')
    .replaceAll('No Kafka broker answered', 'Nobody answered')
    .replace('**What is lost.** Nothing. Exit code 3.', 'Exit code 7. KD_NEVER_HEARD_OF')
  assert.deepEqual(errorFaults(page).sort(), [
    'docs/troubleshooting.md: KD_COMMAND_INVALID does not say what to do',
    'docs/troubleshooting.md: KD_KAFKA_UNREACHABLE does not repeat its message "No Kafka broker answered"',
    'docs/troubleshooting.md: KD_NEVER_HEARD_OF is not a code of src/core/errors.ts',
    'docs/troubleshooting.md: KD_PREREQUISITE_MISSING does not say "Exit code 3."',
    'docs/troubleshooting.md: KD_PREREQUISITE_MISSING does not say what is lost',
    'docs/troubleshooting.md: KD_TABLE_GONE is not a code of src/core/errors.ts',
    'docs/troubleshooting.md: KD_TABLE_MISSING has no section',
  ])
})
