// The serial queue in front of the user’s state machine: idle, at work, failed for good, or stopped.
// Generated from src/actors/apply/apply-queue.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const applyQueueMachine = createMachine({
  "id": "applyQueue",
  "initial": "idle",
  "states": {
    "idle": {
      "on": {
        "*": {
          "actions": [
            "enqueue",
            "work"
          ]
        }
      },
      "always": [
        {
          "guard": "hasFailed",
          "target": "failed"
        },
        {
          "guard": "hasStopped",
          "target": "stopped"
        },
        {
          "guard": "isBusy",
          "target": "applying"
        }
      ]
    },
    "applying": {
      "on": {
        "resumed": {
          "actions": "work"
        },
        "*": {
          "actions": "enqueue"
        }
      },
      "always": [
        {
          "guard": "hasFailed",
          "target": "failed"
        },
        {
          "guard": "hasStopped",
          "target": "stopped"
        },
        {
          "guard": "hasNothingToDo",
          "target": "idle"
        }
      ]
    },
    "failed": {
      "entry": [
        "reportFailure",
        "work"
      ],
      "always": {
        "guard": "hasStopped",
        "target": "stopped"
      },
      "on": {
        "*": {
          "actions": [
            "enqueue",
            "work"
          ]
        }
      }
    },
    "stopped": {
      "on": {
        "*": {
          "actions": [
            "enqueue",
            "work"
          ]
        }
      }
    }
  }
})
