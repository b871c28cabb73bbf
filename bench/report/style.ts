// How the page looks, in the light and in the dark.

export const STYLE = `
:root {
  --paper: #ffffff; --card: #f6f7f9; --ink: #1b2026; --soft: #59636e; --grid: #dde1e6;
  --s1: #0b62d6; --s2: #c2410c; --s3: #15803d; --s4: #7c3aed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101418; --card: #181e24; --ink: #e6eaee; --soft: #9aa5b1; --grid: #2c353e;
    --s1: #6cb0ff; --s2: #ff9e57; --s3: #5fd07f; --s4: #c4a1ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1280px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 24px; }
h1 { margin: 0; font-size: 26px; }
h2 { margin: 32px 0 4px; font-size: 20px; }
p { margin: 4px 0 12px; max-width: 80ch; color: var(--soft); }
.missing { color: var(--s2); }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; padding: 12px 8px 8px; background: var(--card); border-radius: 8px; }
figcaption { padding: 0 8px 4px; font-weight: 600; }
figure > svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 13px; }
svg .name { fill: var(--ink); }
svg .grid { stroke: var(--grid); }
svg .axis { stroke: var(--soft); }
svg g path { fill: none; stroke: currentColor; stroke-width: 2; }
svg g circle { fill: currentColor; }
svg .dashed path { stroke-dasharray: 5 4; }
svg .dashed circle { fill: var(--card); stroke: currentColor; stroke-width: 1.5; }
.s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 4px 0 0; padding: 0 8px; list-style: none; font-size: 13px; }
.legend svg { width: 26px; height: 12px; margin-right: 6px; }
details { margin: 12px 0; }
summary { cursor: pointer; color: var(--soft); }
.wide { overflow-x: auto; }
table { margin: 12px 0; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; white-space: nowrap; }
th, td { padding: 2px 10px 2px 0; text-align: right; font-weight: 400; white-space: nowrap; }
tr th:first-child { text-align: left; }
tr:first-of-type th { color: var(--soft); }
`
