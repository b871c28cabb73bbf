// One follower as its leader sees it: where do our logs agree, then a window of frames, rest, or a pause after a failure.
// Generated from src/actors/replication/replicator.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const replicatorMachine = createMachine({
  "id": "replicator",
  "initial": "probing",
  "states": {
    "probing": {
      "entry": [
        {
          "type": "show",
          "params": {
            "state": "probing"
          }
        },
        "sendProbe"
      ],
      "always": {
        "guard": "needsSnapshot",
        "target": "installingSnapshot"
      },
      "on": {
        "append.answered": [
          {
            "guard": "isStale"
          },
          {
            "guard": "isDeposed",
            "actions": "reportTerm"
          },
          {
            "guard": "hasFailed",
            "target": "#replicator.blocked",
            "actions": "noteFailure"
          },
          {
            "guard": "isRefused",
            "target": "#replicator.probing",
            "reenter": true,
            "actions": "backOff"
          },
          {
            "target": "replicating",
            "actions": "credit"
          }
        ]
      }
    },
    "replicating": {
      "entry": {
        "type": "show",
        "params": {
          "state": "replicating"
        }
      },
      "exit": "dropBacklog",
      "always": [
        {
          "guard": "needsSnapshot",
          "target": "installingSnapshot"
        },
        {
          "guard": "isCaughtUp",
          "target": "waiting"
        }
      ],
      "on": {
        "log.grew": {
          "actions": "fillWindow"
        },
        "turn.ended": {
          "actions": "fillWindow"
        },
        "append.answered": [
          {
            "guard": "isStale"
          },
          {
            "guard": "isDeposed",
            "actions": "reportTerm"
          },
          {
            "guard": "hasFailed",
            "target": "#replicator.blocked",
            "actions": "noteFailure"
          },
          {
            "guard": "isRefused",
            "target": "#replicator.probing",
            "reenter": true,
            "actions": "backOff"
          },
          {
            "actions": [
              "credit",
              "fillWindow"
            ]
          }
        ],
        "backlog.read": [
          {
            "guard": "isStale"
          },
          {
            "guard": "hasReadFailed",
            "target": "blocked",
            "actions": "reportReadFailure"
          },
          {
            "guard": "needsSnapshot",
            "target": "installingSnapshot"
          },
          {
            "actions": [
              "takeBacklog",
              "fillWindow"
            ]
          }
        ]
      },
      "initial": "streaming",
      "states": {
        "streaming": {
          "entry": "fillWindow",
          "always": [
            {
              "guard": "isInTheWay",
              "target": "givingWay"
            },
            {
              "guard": "isStarved",
              "target": "readingBacklog"
            }
          ]
        },
        "readingBacklog": {
          "always": {
            "guard": "hasBacklog",
            "target": "streaming"
          }
        },
        "givingWay": {
          "after": {
            "wayForOthers": {
              "target": "streaming"
            }
          },
          "exit": "endPause"
        }
      }
    },
    "waiting": {
      "entry": {
        "type": "show",
        "params": {
          "state": "waiting"
        }
      },
      "on": {
        "log.grew": {
          "target": "replicating"
        },
        "append.answered": [
          {
            "guard": "isStale"
          },
          {
            "guard": "isDeposed",
            "actions": "reportTerm"
          },
          {
            "guard": "hasFailed",
            "target": "#replicator.blocked",
            "actions": "noteFailure"
          },
          {
            "guard": "isRefused",
            "target": "#replicator.probing",
            "reenter": true,
            "actions": "backOff"
          },
          {
            "actions": "credit"
          }
        ]
      }
    },
    "blocked": {
      "entry": {
        "type": "show",
        "params": {
          "state": "blocked"
        }
      },
      "after": {
        "pause": {
          "target": "probing"
        }
      }
    },
    "installingSnapshot": {
      "entry": [
        {
          "type": "show",
          "params": {
            "state": "installingSnapshot"
          }
        },
        "openSnapshot"
      ],
      "exit": "endInstalling",
      "on": {
        "snapshot.opened": [
          {
            "guard": "isStale"
          },
          {
            "guard": "isThereNone",
            "target": "blocked",
            "actions": [
              "reportNone",
              "noteFailure"
            ]
          },
          {
            "target": ".offering",
            "actions": "takeSnapshot"
          }
        ],
        "offer.answered": [
          {
            "guard": "isStale"
          },
          {
            "guard": "isDeposed",
            "actions": "reportTerm"
          },
          {
            "guard": "hasFailed",
            "target": "blocked",
            "actions": "noteFailure"
          },
          {
            "guard": "isInstalledAgain",
            "target": "blocked",
            "actions": "noteFailure"
          },
          {
            "guard": "isInstalled",
            "target": "probing",
            "actions": "creditSnapshot"
          },
          {
            "target": ".resting",
            "actions": "noteInstalling"
          }
        ]
      },
      "initial": "opening",
      "states": {
        "opening": {},
        "offering": {
          "entry": "sendOffer"
        },
        "resting": {
          "after": {
            "beat": {
              "target": "offering"
            }
          }
        }
      }
    }
  }
})
