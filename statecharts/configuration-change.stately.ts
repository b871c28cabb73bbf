// The change of membership that a leader carries out: those who come are caught up, both sets decide, then the new one alone.
// Generated from src/actors/membership/configuration-change.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const configurationChangeMachine = createMachine({
  "id": "configurationChange",
  "initial": "none",
  "states": {
    "none": {
      "entry": {
        "type": "show",
        "params": {
          "stage": "none"
        }
      },
      "always": [
        {
          "guard": "isHalfDone",
          "target": "joint"
        },
        {
          "guard": "isLeaving",
          "target": "stable"
        }
      ],
      "on": {
        "ask": [
          {
            "guard": "isRefused",
            "actions": "refuse"
          },
          {
            "guard": "isUnchanged",
            "actions": "confirm"
          },
          {
            "target": "catchingUp",
            "actions": "begin"
          }
        ]
      }
    },
    "catchingUp": {
      "entry": {
        "type": "show",
        "params": {
          "stage": "catchingUp"
        }
      },
      "always": [
        {
          "guard": "keepsVoters",
          "target": "stable"
        },
        {
          "guard": "isReadyForJoint",
          "target": "joint"
        },
        {
          "guard": "isReady",
          "target": "stable"
        }
      ],
      "on": {
        "ask": {
          "actions": "refuseBusy"
        },
        "moved": [
          {
            "guard": "isReadyForJoint",
            "target": "joint"
          },
          {
            "guard": "isReady",
            "target": "stable"
          }
        ]
      },
      "initial": "waiting",
      "states": {
        "waiting": {
          "after": {
            "beat": {
              "target": "looking"
            }
          }
        },
        "looking": {
          "entry": "look",
          "always": [
            {
              "guard": "isWaitedForInVain",
              "target": "#configurationChange.none",
              "actions": "giveUp"
            },
            {
              "target": "waiting"
            }
          ]
        }
      }
    },
    "joint": {
      "entry": [
        {
          "type": "show",
          "params": {
            "stage": "joint"
          }
        },
        "proposeJoint"
      ],
      "on": {
        "ask": {
          "actions": "refuseBusy"
        },
        "moved": {
          "guard": "isCommitted",
          "target": "stable"
        }
      }
    },
    "stable": {
      "entry": [
        {
          "type": "show",
          "params": {
            "stage": "stable"
          }
        },
        "proposeStable"
      ],
      "on": {
        "ask": {
          "actions": "refuseBusy"
        },
        "moved": [
          {
            "guard": "hasLeft",
            "target": "gone",
            "actions": "conclude"
          },
          {
            "guard": "isCommitted",
            "target": "none",
            "actions": "conclude"
          }
        ]
      }
    },
    "gone": {
      "on": {
        "ask": {
          "actions": "refuseBusy"
        }
      }
    }
  }
})
