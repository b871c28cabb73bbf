// Stories of groups that sleep.

import type { InspectionEvent } from 'xstate'
import { type RigOptions, rig } from './node-rig.ts'
import { askToSleep, beatOn, sharing, untilAsked, untilAsleep, vouch } from './sleeping.ts'

export function sleepingStories(inspect: (event: InspectionEvent) => void): Record<string, () => void> {
  const leader = (options: RigOptions = {}) => sharing({ ...options, inspect })
  const follower = () => rig({ inspect }).boot().follow('b', 2)
  return {
    'a follower falls asleep, and wakes, again and again': () => {
      const node = leader()
      untilAsked(node).done(null)
      node.settle()
      untilAsked(node)
      node.readIndex('b', 2)
      node.settle()
      untilAsleep(node).roused()
      node.settle()
      untilAsleep(node)
      node.readIndex('b', 2)
      node.settle()
      beatOn(node, 100)
      node.shutdown().settle()
    },
    'a follower that sleeps is told what is committed': () => {
      const node = leader()
      const wish = untilAsleep(node)
      node.propose({ put: 1 })
      node.settle().acknowledge()
      wish.pulse()
      node.settle()
      beatOn(node, 100)
      node.shutdown().settle()
    },
    'frames tell a follower what a heartbeat would': () => {
      const node = leader().advance(90)
      for (const put of [1, 2, 3]) {
        node.propose({ put })
        node.settle().acknowledge()
      }
      node.advance(100).shutdown().settle()
    },
    'a follower that sleeps, until its leader is not vouched for': () => {
      const node = follower()
      askToSleep(node, 'b', 2, 9)
      askToSleep(node, 'b', 2, 0)
      askToSleep(node, 'b', 2, 0)?.roused()
      node.settle()
      askToSleep(node, 'b', 2, 0)
      vouch(node)
      node.advance(2000).rpc.loses('b')
      node.settle().advance(50)
      node.shutdown().settle()
    },
    'a follower that sleeps, and whose leader takes its leave': () => {
      const node = follower()
      askToSleep(node, 'b', 2, 0)
      for (let i = 0; i < 30; i++) {
        vouch(node)
        node.advance(100)
      }
      node.rpc.loses('b')
      node.settle().advance(50)
      node.shutdown().settle()
    },
  }
}
