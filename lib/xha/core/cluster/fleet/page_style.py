"""The style of the fleet's page. It names no other resource, and the page allows none."""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;
--out:#a40e26;--split:#a40e26;--unknown:#6f3fb5;--degraded:#7d4e00;--ok:#116329;--gap:#d0d7de}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9da7b3;--paper:#0d1117;--card:#161b22;--line:#30363d;
--out:#ff8182;--split:#ff8182;--unknown:#c4a5ff;--degraded:#e3b341;--ok:#56d364;--gap:#30363d}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:75rem;background:var(--paper);color:var(--ink);
font:1rem/1.45 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:1.4rem;margin:0 0 .3rem}
.when{color:var(--dim);margin:0 0 1rem}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:0 0 1rem}
.counts li{border:1px solid var(--line);border-radius:.4rem;padding:.15rem .6rem;background:var(--card)}
details{border:1px solid var(--line);border-radius:.4rem;margin:0 0 .6rem;background:var(--card)}
summary{display:grid;grid-template-columns:6.5rem minmax(8rem,16rem) 3.5rem 124px 1fr;gap:.75rem;align-items:center;
padding:.5rem .75rem;cursor:pointer}
.name{font-weight:600}
.standing{font-weight:700;border-left:.35rem solid;padding-left:.45rem}
.out{color:var(--out)}.split{color:var(--split)}.unknown{color:var(--unknown)}.degraded{color:var(--degraded)}
.ok{color:var(--ok)}
.in{font-variant-numeric:tabular-nums}
.since{color:var(--dim)}
.more{padding:0 .75rem .6rem}
.more p{margin:.2rem 0}
svg{display:block;background:var(--paper);border:1px solid var(--line)}
.f-out,.f-split{fill:var(--out)}.f-unknown{fill:var(--unknown)}.f-degraded{fill:var(--degraded)}.f-ok{fill:var(--ok)}
summary>*{min-width:0}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin-top:.4rem;background:var(--paper)}
th,td{border:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600;color:var(--dim)}
th:nth-child(1){width:17%}th:nth-child(2){width:11%}th:nth-child(3){width:13%}th:nth-child(4){width:25%}
th:nth-child(5){width:13%}
@media (max-width:45rem){
summary{grid-template-columns:1fr auto;gap:.25rem .75rem}
.since{grid-column:1/-1}
table,tbody,tr,td{display:block;width:100%}thead{display:none}
tr{border:1px solid var(--line);margin-bottom:.4rem}td{border:0;padding:.1rem .5rem}
td::before{content:attr(data-of) ": ";color:var(--dim)}
}
@media print{
:root{--ink:#000;--dim:#333;--paper:#fff;--card:#fff;--line:#888;--out:#a40e26;--split:#a40e26;--unknown:#4b2a86;
--degraded:#5c3900;--ok:#0b4a1d}
body{font-size:9pt;max-width:none;padding:0}details{break-inside:avoid}
}
"""
