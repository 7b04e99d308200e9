import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupStateMachine, type GroupState } from '../../../src/kafka/group/states.ts'

test('the time of the last transition is reported, and a transition to the current state changes nothing', () => {
  let nowMs = 5
  const states = new GroupStateMachine(() => nowMs)
  assert.deepEqual([states.state, states.sinceMs], ['unjoined', 5])
  nowMs = 7
  states.transitionTo('joining')
  nowMs = 9
  states.transitionTo('joining')
  assert.deepEqual([states.state, states.sinceMs], ['joining', 7])
})

/** Transitions that the state machine allows. */
const ALLOWED: Readonly<Record<GroupState, readonly GroupState[]>> = {
  unjoined: ['joining', 'leaving', 'failed'],
  joining: ['syncing', 'reconciling', 'stable', 'unjoined', 'leaving', 'failed'],
  syncing: ['reconciling', 'joining', 'unjoined', 'leaving', 'failed'],
  reconciling: ['stable', 'syncing', 'joining', 'unjoined', 'leaving', 'failed'],
  stable: ['reconciling', 'joining', 'unjoined', 'leaving', 'failed'],
  leaving: ['left', 'failed'],
  left: [],
  failed: [],
}

test('other transitions throw, and the final states are final', () => {
  const paths: Readonly<Record<GroupState, readonly GroupState[]>> = {
    unjoined: [],
    joining: ['joining'],
    syncing: ['joining', 'syncing'],
    reconciling: ['joining', 'syncing', 'reconciling'],
    stable: ['joining', 'stable'],
    leaving: ['leaving'],
    left: ['leaving', 'left'],
    failed: ['failed'],
  }
  const all = Object.keys(ALLOWED) as GroupState[]
  for (const from of all) {
    for (const to of all) {
      const states = new GroupStateMachine(() => 0)
      for (const step of paths[from]) states.transitionTo(step)
      assert.equal(states.isOver, from === 'left' || from === 'failed')
      if (to === from || ALLOWED[from].includes(to)) states.transitionTo(to)
      else assert.throws(() => states.transitionTo(to), /Broken invariant/, `${from} to ${to}`)
    }
  }
})
