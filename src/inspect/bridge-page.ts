// The page that hosts the Stately inspector: it takes messages from the bridge and hands them to the framed page once that
// says that it is there. The inspector itself is loaded from the internet; without it the page says what else there is.

export interface Page {
  readonly type: string
  readonly body: string
}

const HTML = (ui: string, socketUrl: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Quorate: the Stately inspector</title>
<link rel="stylesheet" href="page.css">
<p id="note" role="status">Waiting for the inspector at ${escaped(ui)} …</p>
<iframe id="ui" title="Stately inspector" src="${escaped(ui)}" data-ui="${escaped(ui)}" data-socket="${escaped(socketUrl)}"></iframe>
<script src="page.js"></script>
</html>
`

const CSS = `html, body { margin: 0; height: 100%; font: 14px system-ui, sans-serif; }
#ui { position: fixed; inset: 0; width: 100%; height: 100%; border: 0; }
#note { position: fixed; left: 0; right: 0; bottom: 0; margin: 0; padding: 6px 10px; background: #111; color: #eee; z-index: 1; }
#note[hidden] { display: none; }
`

/** Plain JavaScript for browsers. What comes before the inspector is there is kept, in part: the bridge tells all again. */
const SCRIPT = `'use strict';
(() => {
  const frame = document.getElementById('ui');
  const note = document.getElementById('note');
  const origin = new URL(frame.dataset.ui).origin;
  let ready = false;
  let socket = null;
  const say = (text) => { note.textContent = text; note.hidden = text === ''; };
  const late = setTimeout(() => {
    say('The inspector at ' + frame.dataset.ui + ' has not answered. It needs the internet, and may have changed. ' +
      'Other tools read the same messages from ' + socketUrl() + ' .');
  }, 10000);
  function socketUrl() { return new URL('socket', location.href.replace(/^http/, 'ws')).href; }
  function connect() {
    socket = new WebSocket(socketUrl());
    socket.onopen = () => say('');
    socket.onmessage = ({ data }) => frame.contentWindow.postMessage(JSON.parse(data), origin);
    socket.onclose = () => {
      say('The bridge is gone; trying again …');
      setTimeout(connect, 1000);
    };
  }
  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    if (!event.data || event.data.type !== '@statelyai.connected') return;
    clearTimeout(late);
    // A framed page that was loaded anew knows nothing: all is told again.
    if (ready && socket !== null) { socket.onclose = null; socket.close(); }
    ready = true;
    connect();
  });
})();
`

/** By name below the token. */
export function pagesOf(ui: string, socketUrl: string): ReadonlyMap<string, Page> {
  return new Map([
    ['', { type: 'text/html; charset=utf-8', body: HTML(ui, socketUrl) }],
    ['page.css', { type: 'text/css; charset=utf-8', body: CSS }],
    ['page.js', { type: 'text/javascript; charset=utf-8', body: SCRIPT }],
  ])
}

/** What the page may load and frame, and that its address, which has the token in it, is told to nobody. */
export function headersOf(ui: string): Readonly<Record<string, string>> {
  const frame = new URL(ui).origin
  return {
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src ${frame}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
}
