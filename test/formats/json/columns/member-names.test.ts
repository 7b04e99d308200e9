import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberNameOf } from '../../../../src/formats/json/columns/json-bytes.ts'
import { MemberNames } from '../../../../src/formats/json/columns/member-names.ts'
import type { MemberPlan } from '../../../../src/formats/json/columns/plan.ts'

function member(name: string): MemberPlan {
  return { required: false, ...memberNameOf(name), value: undefined }
}

function find(names: MemberNames, name: string): number {
  const bytes = Buffer.from(`{"${name}":null} `)
  return names.find(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 1)
}

test('Members are found by name, those that were added later too, and other names are not', () => {
  const texts = [
    '',
    'ß',
    'c',
    'x'.repeat(70),
    `${'x'.repeat(70)}y`,
    ...Array.from({ length: 300 }, (_, i) => `c${i}`),
  ]
  const members = texts.slice(0, 5).map(member)
  const names = new MemberNames(members)
  for (const [index, name] of texts.entries()) {
    if (index >= 5) {
      assert.equal(find(names, name), -1)
      members.push(member(name))
      names.add(index)
    }
    for (let known = 0; known <= index; known += 7) assert.equal(find(names, texts[known] ?? ''), known)
  }
  for (const [index, name] of texts.entries()) assert.equal(find(names, name), index)
  for (const name of ['c300', 'C1', 'x', 'x'.repeat(69), 'c1 ']) assert.equal(find(names, name), -1)
})
