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
          "target": "due"
        }
      },
      "on": {
        "beat": {
          "target": "beating"
        }
      }
    },
    "due": {
      "entry": "judge",
      "always": [
        {
          "guard": "isToSleep",
          "target": "asking"
        },
        {
          "guard": "isHeardAnyway",
          "target": "resting"
        },
        {
          "target": "beating"
        }
      ]
    },
    "beating": {
      "entry": "send",
      "on": {
        "heartbeat.answered": {
          "target": "resting",
          "actions": "note"
        }
      }
    },
    "asking": {
      "entry": "askToSleep",
      "on": {
        "sleep.answered": [
          {
            "guard": "isAgreed",
            "target": "asleep"
          },
          {
            "target": "beating"
          }
        ],
        "beat": {
          "target": "beating"
        }
      }
    },
    "asleep": {
      "entry": "noteAsleep",
      "exit": "noteAwake",
      "on": {
        "roused": {
          "target": "beating"
        },
        "beat": {
          "target": "beating"
        }
      },
      "initial": "quiet",
      "states": {
        "quiet": {
          "on": {
            "tell": {
              "target": "telling"
            }
          }
        },
        "telling": {
          "entry": "send",
          "on": {
            "heartbeat.answered": {
              "target": "quiet",
              "actions": "note"
            }
          }
        }
      }
    }
  }
})
