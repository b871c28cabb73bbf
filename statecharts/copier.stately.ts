// The download of one snapshot: its list of files, what is missing of them piece by piece, and the step in which it is published.
// Generated from src/actors/snapshot/copier.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const copierMachine = createMachine({
  "id": "copier",
  "initial": "listing",
  "on": {
    "cancel": {
      "target": ".canceled"
    }
  },
  "states": {
    "listing": {
      "initial": "asking",
      "always": {
        "guard": "hasFailed",
        "target": "failed"
      },
      "states": {
        "asking": {
          "always": {
            "guard": "hasList",
            "target": "#copier.opening"
          },
          "entry": "askForPage",
          "on": {
            "page.answered": {
              "target": "judging",
              "actions": "takePage"
            }
          }
        },
        "judging": {
          "always": [
            {
              "guard": "hasFailed",
              "target": "#copier.failed"
            },
            {
              "guard": "isPausing",
              "target": "pausing"
            },
            {
              "target": "asking"
            }
          ]
        },
        "pausing": {
          "after": {
            "pause": {
              "target": "asking"
            }
          },
          "exit": "endPause"
        }
      }
    },
    "opening": {
      "entry": "openCopy",
      "always": {
        "guard": "hasFailed",
        "target": "failed"
      },
      "on": {
        "copy.opened": {
          "target": "fetching",
          "actions": "takeCopy"
        }
      }
    },
    "fetching": {
      "initial": "asking",
      "always": [
        {
          "guard": "hasFailed",
          "target": "failed"
        },
        {
          "guard": "isComplete",
          "target": "publishing"
        }
      ],
      "on": {
        "piece.answered": {
          "actions": [
            "takePiece",
            "askForPieces"
          ]
        },
        "chunk.written": {
          "actions": [
            "noteWritten",
            "askForPieces"
          ]
        }
      },
      "states": {
        "asking": {
          "entry": "askForPieces",
          "always": {
            "guard": "isPausing",
            "target": "pausing"
          }
        },
        "pausing": {
          "after": {
            "pause": {
              "target": "asking"
            }
          },
          "exit": "endPause"
        }
      }
    },
    "publishing": {
      "entry": "publish",
      "on": {
        "copy.published": {
          "target": "judging",
          "actions": "takePublished"
        }
      }
    },
    "judging": {
      "always": [
        {
          "guard": "isPublished",
          "target": "finished"
        },
        {
          "target": "failed"
        }
      ]
    },
    "finished": {
      "type": "final",
      "entry": "report"
    },
    "failed": {
      "entry": "keepWhatCame",
      "on": {
        "copy.paused": {
          "target": "ended",
          "actions": "report"
        }
      }
    },
    "canceled": {
      "entry": "keepWhatCame",
      "on": {
        "cancel": {},
        "copy.paused": {
          "target": "ended"
        }
      }
    },
    "ended": {
      "type": "final"
    }
  }
})
