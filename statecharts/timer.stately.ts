// A repeating timer. The state that invokes it owns it: it cannot outlive the role it belongs to.
// Generated from src/actors/timer.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const timerMachine = createMachine({
  "id": "timer",
  "initial": "choosing",
  "states": {
    "choosing": {
      "entry": "draw",
      "always": [
        {
          "guard": "hasDelay",
          "target": "armed"
        },
        {
          "target": "resting"
        }
      ]
    },
    "armed": {
      "after": {
        "nextDelay": {
          "target": "due"
        }
      },
      "on": {
        "again": {
          "target": "choosing"
        }
      }
    },
    "due": {
      "entry": "awaitTurn",
      "on": {
        "turn": {
          "target": "choosing",
          "actions": "fire"
        }
      }
    },
    "resting": {
      "on": {
        "arm": {
          "target": "choosing"
        },
        "again": {
          "target": "choosing"
        }
      }
    }
  }
})
