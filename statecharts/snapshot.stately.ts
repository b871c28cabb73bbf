// The snapshots of one member: it saves, fetches one from its leader, or loads one, and does one of these at a time.
// Generated from src/actors/snapshot/snapshot.machine.ts by `npm run statecharts`; open it in Stately Studio.

import { createMachine } from 'xstate'

export const snapshotMachine = createMachine({
  "id": "snapshot",
  "initial": "closed",
  "on": {
    "save": {
      "actions": "refuseStopped"
    }
  },
  "states": {
    "closed": {
      "on": {
        "open": {
          "target": "opening"
        },
        "stop": {
          "target": "stopped"
        }
      }
    },
    "opening": {
      "entry": "openStore",
      "on": {
        "store.opened": [
          {
            "guard": "isBroken",
            "target": "stopped",
            "actions": "tellFailure"
          },
          {
            "guard": "hasSnapshot",
            "target": "loading",
            "actions": "takeStore"
          },
          {
            "target": "idle",
            "actions": [
              "takeStore",
              "tellNothing"
            ]
          }
        ],
        "stop": {
          "target": "stopped"
        }
      }
    },
    "idle": {
      "entry": {
        "type": "show",
        "params": {
          "activity": "idle"
        }
      },
      "on": {
        "save": [
          {
            "guard": "isUnsupported",
            "actions": "refuseUnsupported"
          },
          {
            "guard": "hasNothingNew",
            "actions": "answerNothingNew"
          },
          {
            "target": "saving"
          }
        ],
        "offer": [
          {
            "guard": "startsDownload",
            "target": "downloading"
          },
          {
            "actions": "answerOffer"
          }
        ],
        "stop": {
          "target": "stopped"
        }
      }
    },
    "saving": {
      "initial": "capturing",
      "entry": [
        {
          "type": "show",
          "params": {
            "activity": "saving"
          }
        },
        "capture"
      ],
      "on": {
        "save": {
          "actions": "refuseBusy"
        },
        "offer": {
          "actions": "answerOffer"
        },
        "save.failed": [
          {
            "guard": "isDiskFailure",
            "target": "stopped",
            "actions": [
              "noteSaveFailure",
              "tellFailure"
            ]
          },
          {
            "target": ".discarding",
            "actions": "noteSaveFailure"
          }
        ],
        "stop": {
          "target": "stopped",
          "actions": "abortSave"
        }
      },
      "states": {
        "capturing": {
          "on": {
            "offer": {
              "guard": "startsDownload",
              "target": "#snapshot.downloading",
              "actions": "giveUpSave"
            },
            "save.captured": {
              "target": "writing"
            }
          }
        },
        "writing": {
          "entry": "write",
          "on": {
            "offer": {
              "guard": "startsDownload",
              "target": "#snapshot.downloading",
              "actions": "giveUpSave"
            },
            "save.written": {
              "target": "publishing"
            }
          }
        },
        "publishing": {
          "entry": "publish",
          "on": {
            "save.published": [
              {
                "guard": "isDiskFailure",
                "target": "#snapshot.stopped",
                "actions": [
                  "noteSaveFailure",
                  "tellFailure"
                ]
              },
              {
                "guard": "isBroken",
                "target": "discarding",
                "actions": "noteSaveFailure"
              },
              {
                "target": "#snapshot.idle",
                "actions": "noteSaved"
              }
            ]
          }
        },
        "discarding": {
          "entry": "discard",
          "on": {
            "save.discarded": {
              "target": "#snapshot.idle"
            }
          }
        }
      }
    },
    "downloading": {
      "entry": [
        "begin",
        {
          "type": "show",
          "params": {
            "activity": "downloading"
          }
        },
        "startCopier",
        "answerOffer"
      ],
      "exit": "end",
      "on": {
        "save": {
          "actions": "refuseBusy"
        },
        "offer": [
          {
            "guard": "startsDownload",
            "target": "downloading",
            "reenter": true
          },
          {
            "actions": "answerOffer"
          }
        ],
        "copy.finished": [
          {
            "guard": "isOfAnotherCopy"
          },
          {
            "target": "loading"
          }
        ],
        "copy.failed": [
          {
            "guard": "isOfAnotherCopy"
          },
          {
            "guard": "isLocalFailure",
            "target": "stopped",
            "actions": "tellCopyFailure"
          },
          {
            "target": "idle",
            "actions": "noteCopyFailure"
          }
        ],
        "cancel": [
          {
            "guard": "isPublishing"
          },
          {
            "target": "idle",
            "actions": "endDownload"
          }
        ],
        "stop": {
          "target": "stopped",
          "actions": "endDownload"
        }
      }
    },
    "loading": {
      "initial": "opening",
      "entry": [
        {
          "type": "show",
          "params": {
            "activity": "loading"
          }
        },
        "openNewest"
      ],
      "on": {
        "save": {
          "actions": "refuseBusy"
        },
        "offer": {
          "actions": "answerOffer"
        },
        "stop": {
          "target": "stopped"
        }
      },
      "states": {
        "opening": {
          "on": {
            "load.opened": [
              {
                "guard": "isBroken",
                "target": "#snapshot.stopped",
                "actions": "tellFailure"
              },
              {
                "target": "replacing",
                "actions": "load"
              }
            ]
          }
        },
        "replacing": {
          "on": {
            "load.done": [
              {
                "guard": "hasFailed",
                "target": "#snapshot.stopped",
                "actions": "tellFailure"
              },
              {
                "target": "#snapshot.idle",
                "actions": "noteLoaded"
              }
            ]
          }
        }
      }
    },
    "stopped": {
      "entry": {
        "type": "show",
        "params": {
          "activity": "idle"
        }
      },
      "on": {
        "store.opened": {
          "actions": "letGo"
        },
        "load.opened": {
          "actions": "letGo"
        },
        "load.done": {
          "actions": "endLoad"
        }
      }
    }
  }
})
