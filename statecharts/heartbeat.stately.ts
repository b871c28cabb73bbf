// The heartbeat of a leader to one follower, independent of replication.
// Generated from src/actors/replication/heartbeat.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const heartbeatMachine = createMachine({
  "id": "heartbeat",
  "initial": "resting",
  "states": {
    "resting": {
      "after": {
        "interval": {
          "target": "beating"
        }
      },
      "on": {
        "beat": {
          "target": "beating"
        }
      }
    },
    "beating": {
      "entry": "send",
      "on": {
        "heartbeat.answered": {
          "target": "resting",
          "actions": "note"
        }
      }
    }
  }
})
