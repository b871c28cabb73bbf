// The log of one group: opened, then appended to and truncated; a failed write is the end of it.
// Generated from src/actors/log.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const logMachine = createMachine({
  "id": "log",
  "initial": "opening",
  "states": {
    "opening": {
      "entry": "open",
      "on": {
        "disk.opened": [
          {
            "guard": "opened",
            "target": "ready",
            "actions": [
              "take",
              "tellOpened"
            ]
          },
          {
            "target": "failed"
          }
        ]
      }
    },
    "ready": {
      "on": {
        "append": {
          "actions": "append"
        },
        "truncateSuffix": {
          "actions": "truncate"
        },
        "truncatePrefix": {
          "actions": "compact"
        },
        "reset": {
          "actions": "reset"
        },
        "disk.failed": {
          "target": "failed"
        }
      }
    },
    "failed": {
      "entry": [
        "release",
        "report"
      ]
    }
  }
})
