"""How the page looks, and what its script does: sorting and searching the table, nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --paper: #fcfcfa; --card: #ffffff; --ink: #1c2227; --soft: #56606a; --line: #dfe3e0;
  --track: #e9ece9; --bad: #b3261e; --warn: #8a5300; --work: #1f5aa8; --good: #256b3a;
  --calm: #7b8791; --bad-wash: #fbeceb; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #13171a; --card: #191e22; --ink: #e4e8ea; --soft: #9faab4; --line: #2c343a;
  --track: #262d33; --bad: #ff8f85; --warn: #eab65c; --work: #86b4f5; --good: #7fca95;
  --calm: #6d7983; --bad-wash: #2b1b1b; } }
@media print { :root { color-scheme: light;
  --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --track: #eee;
  --bad: #a01b14; --warn: #7a4a00; --work: #1b4f94; --good: #1f5c31; --calm: #777;
  --bad-wash: #fff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.6rem 1.4rem 3rem; max-width: 78rem; background: var(--paper);
  color: var(--ink); font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans",
  sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 1.02rem; margin: 2.2rem 0 .5rem; font-weight: 650; }
p { margin: .3rem 0; } small, .soft { color: var(--soft); font-size: .86em; }
a { color: var(--work); } a:focus-visible, button:focus-visible, input:focus-visible,
summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--work);
  outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .6rem;
  background: var(--card); padding: .4rem .7rem; z-index: 2; }
header { border-bottom: 1px solid var(--line); padding-bottom: .9rem; }
.verdict { font-size: 1.06rem; margin: .6rem 0 0; } .verdict b { font-weight: 650; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0;
  margin: .7rem 0 0; }
.states { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: .6rem;
  margin: 1.1rem 0 0; }
.states div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--calm);
  border-radius: 5px; padding: .5rem .7rem .45rem; }
.states dt { color: var(--soft); font-size: .86em; line-height: 1.3; } .states dd { margin: 0;
  font-size: 1.5rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.states .bad { border-top-color: var(--bad); } .states .warn { border-top-color: var(--warn); }
.states .work { border-top-color: var(--work); } .states .good { border-top-color: var(--good); }
.states .zero { border-top-color: var(--line); } .states .zero dd { color: var(--soft);
  font-weight: 400; }
.wide { overflow-x: auto; }
figure { margin: .4rem 0 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 5px; padding: .7rem .8rem .5rem; }
figure + figure { margin-top: .7rem; }
figcaption { font-weight: 600; } figure svg { display: block; min-width: 46rem; width: 100%;
  height: auto; margin-top: .3rem; }
svg text { font: 11px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  fill: var(--soft); } svg .name { fill: var(--ink); }
svg .num { fill: var(--ink); font-size: 10px; }
.axis { stroke: var(--line); stroke-width: 1; } .now { stroke: var(--ink); stroke-width: 1;
  stroke-dasharray: 2 3; } .track { fill: var(--track); } .f-bad { fill: var(--bad); }
.f-warn { fill: var(--warn); } .f-work { fill: var(--work); } .f-good { fill: var(--good);
  opacity: .82; }
.f-calm { fill: var(--calm); } .tick { stroke: var(--ink); stroke-width: 2; }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .25rem 0 0; padding: 0;
  list-style: none; color: var(--soft); font-size: .86em; } .key svg { display: inline-block;
  min-width: 0; width: .8em; height: .8em; margin: 0 .35em 0 0; vertical-align: -.05em; }
summary { cursor: pointer; color: var(--soft); font-size: .86em; margin-top: .3rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft);
  font-size: .86em; padding: 0 0 .35rem; } th, td { text-align: left; vertical-align: top;
  padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; font-size: .86em; white-space: nowrap;
  vertical-align: bottom; } tbody th { font-weight: 600; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; } td time, td small { white-space: nowrap; }
.n { text-align: right; white-space: nowrap; overflow-wrap: normal; }
.n, time { font-variant-numeric: tabular-nums; } time { white-space: nowrap; }
.none { color: var(--soft); }
tbody th small { display: block; font-weight: 400; } td small { display: block; }
.state { white-space: nowrap; } .state svg { width: .7em; height: .7em; margin-right: .4em; }
.life { display: block; width: 5.5rem; height: 5px; margin-top: .3rem; }
.bad b, .t-bad { color: var(--bad); } .t-warn { color: var(--warn); }
.t-work { color: var(--work); }
.t-good { color: var(--good); } .t-calm { color: var(--soft); }
.stuck { list-style: none; margin: 0; padding: 0; } .stuck > li { background: var(--card);
  border: 1px solid var(--line); border-left: 3px solid var(--warn); border-radius: 5px;
  padding: .55rem .8rem .6rem; margin: 0 0 .5rem; break-inside: avoid; } .stuck > .bad {
  border-left-color: var(--bad); background: var(--bad-wash); }
@media (min-width: 58rem) { .stuck > li { display: grid; column-gap: 1.5rem;
  grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); } }
.stuck h3 { font-size: 1em; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
.stuck p { overflow-wrap: anywhere; } pre { margin: .1rem 0 0; white-space: pre-wrap;
  overflow-wrap: anywhere; font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas,
  "DejaVu Sans Mono", monospace; } pre code { font: inherit; user-select: all; }
.quarters { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr));
  gap: 1.1rem 2.4rem; } .quarters td svg { width: 100%; min-width: 3rem;
  height: 7px; display: block; margin-top: .45em; }
.quarters th, .quarters td { padding-right: .6rem; }
.quarters td:last-child, .quarters thead td { width: 40%; padding-right: 0; }
#others table { max-width: 46rem; }
#tools { margin: 0 0 .5rem; } #tools input { font: inherit; color: inherit;
  width: min(24rem, 100%); background: var(--card); border: 1px solid var(--calm);
  border-radius: 4px; padding: .25rem .5rem; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; } thead button::after { content: " \\2195"; opacity: .45; }
[aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; }
[aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
footer { margin-top: 2.2rem; border-top: 1px solid var(--line); padding-top: .7rem;
  color: var(--soft); font-size: .86em; }
@media (max-width: 44rem) {
  .quarters { grid-template-columns: minmax(0, 1fr); } body { padding: 1rem .8rem 2rem; }
  .states { grid-template-columns: repeat(2, 1fr); } }
@media print { @page { margin: 12mm; } body { max-width: none; padding: 0; font-size: 9.5pt; }
  nav, #tools, .skip, summary { display: none !important; } .wide { overflow: visible; }
  figure { break-inside: avoid; } figure svg { min-width: 0; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; } thead button::after { content: ""; } h2 { break-after: avoid; } }
"""

SCRIPT: Final = """
"use strict";
(() => {
  const table = document.querySelector("#all table");
  const tools = document.querySelector("#tools");
  if (!table || !tools) return;
  const body = table.tBodies[0], rows = [...body.rows];
  const input = tools.querySelector("input"), told = tools.querySelector("output");
  tools.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
  const key = (row, column) =>
    row.cells[column].dataset.key ?? row.cells[column].textContent.toLowerCase();
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
      rows.sort((a, b) => {
        const left = key(a, column), right = key(b, column);
        return left === right ? 0 : (left < right ? -turn : turn);
      });
      body.append(...rows);
    });
  });
})();
"""


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


POLICY: Final = (
    f"default-src 'none'; style-src {_hashed(STYLE)}; script-src {_hashed(SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)
"""The content security policy: no other style and script than these, and nothing from outside."""
