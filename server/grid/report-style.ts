/** The report's whole stylesheet: light and dark by the reader's preference, readable on paper too. */
export const reportStyle = `
:root { color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --ink: #1d1f23; --quiet: #666a73; --line: #e1dfd9; --accent: #b4540a; --train: #7a7f8a; --held: #1f6fb2; --drift: #b4540a; --choice: #fbeede; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #15171b; --card: #1e2126; --ink: #e9e7e2; --quiet: #9a9ea8; --line: #33373f; --accent: #f0a35e; --train: #8f95a1; --held: #6db3ee; --drift: #f0a35e; --choice: #33291d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header p { color: var(--quiet); margin: 0; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.6rem 0 .8rem; font-weight: 650; }
.verdict { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 10px; padding: 1.2rem 1.4rem; margin: 1.6rem 0 0; }
.verdict > p:first-child { font-size: 1.25rem; line-height: 1.4; margin: 0; font-weight: 550; text-wrap: pretty; }
.verdict ul { margin: .9rem 0 0; padding: 0; list-style: none; }
.verdict li { text-wrap: pretty; padding: .45rem 0; border-top: 1px solid var(--line); }
.use { margin: .5rem 0 0; padding-top: .6rem; border-top: 1px solid var(--line); color: var(--quiet); }
.use code { color: var(--ink); font: .95em ui-monospace, monospace; overflow-wrap: anywhere; }
.at { color: var(--quiet); font-size: .84rem; white-space: nowrap; margin-left: .35rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 0; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.figures div { background: var(--card); padding: .7rem .9rem; }
.figures dt { color: var(--quiet); font-size: .82rem; }
.figures dd { margin: 0; font-weight: 550; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.1rem; }
.pair { margin: 0; }
.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; border-radius: 8px; overflow: hidden; border: 1px solid var(--line); background: var(--line); }
.pair img, .sheet img { display: block; width: 100%; height: auto; }
.pair figcaption { font-size: .84rem; color: var(--quiet); margin-top: .35rem; overflow-wrap: anywhere; }
.sheet { margin: 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.sheet img { width: auto; max-width: 100%; margin: 0 auto; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .8rem; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; color: var(--quiet); font-size: .82rem; font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
.choice td, .choice th { background: var(--choice); font-weight: 600; }
.hash, td.file { font-family: ui-monospace, monospace; font-size: .84rem; }
.chart { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem .8rem .5rem; margin: 0 0 1rem; }
.chart svg { display: block; width: 100%; min-width: 34rem; height: auto; max-height: 20rem; font: 12px system-ui, sans-serif; }
.chart text { fill: var(--quiet); }
.chart .axis { stroke: var(--line); }
.chart .pick { stroke: var(--accent); stroke-dasharray: 3 3; }
.chart .train { --tone: var(--train); } .chart .held { --tone: var(--held); } .chart .drift { --tone: var(--drift); }
.chart polyline { fill: none; stroke: var(--tone); stroke-width: 2; stroke-linejoin: round; }
.chart text.train, .chart text.held, .chart text.drift { fill: var(--tone); }
.warnings { padding-left: 1.1rem; margin: 0; } .warnings li { margin: .3rem 0; }
.quiet { color: var(--quiet); }
footer { margin-top: 3rem; color: var(--quiet); font-size: .84rem; }
@media print { body { background: #fff; } main { max-width: none; padding: 0; } }
`;
